"""What a command came to, in a few lines for a person."""

from collections.abc import Iterator
from typing import Any

from fruits_pipeline.state.counts import Sides


def summary(record: dict[str, Any], output: str) -> str:
    """Counts, components, scores, seconds and places of a finished run, one fact a line.

    Args:
        record: The content of ``run.json``.
        output: The output's address.
    """
    return "\n".join(f"{name:<12}{value}" for name, value in _facts(record, output))


def _facts(record: dict[str, Any], output: str) -> Iterator[tuple[str, str]]:
    counts, rooms = record["counts"], record["rooms"]
    yield "images", "found {found} = read {read} + rejected {rejected} + skipped {skipped}".format_map(counts)
    for kind in ("reject_reasons", "skip_reasons"):
        if counts[kind]:
            yield (
                kind.split("_")[0] + "s",
                ", ".join(f"{reason} {images}" for reason, images in counts[kind].items()),
            )
    if sides := rooms.get("ingest", {}).get("sides"):
        yield "sides", str(Sides.model_validate(sides))
    if changed := [f"{what} {images}" for what, images in record.get("change", {}).items() if images]:
        yield "since last", ", ".join(changed)
    if "reduce" in rooms:
        reduced = rooms["reduce"]
        yield (
            "components",
            f"{reduced['components']} of {reduced['dimension']}, {reduced['variance_share']:.1%} of variance",
        )
    for name, scores in rooms.get("classify", {}).get("scores", {}).items():
        yield "accuracy", f"{scores['accuracy']:.2%} {name}, macro F1 {scores['macro_f1']:.4f}"
    parts = ", ".join(f"{room} {seconds}" for room, seconds in record["seconds"].items())
    yield "seconds", f"{record['seconds_total']} ({parts})"
    yield "results", output
    for step in record.get("next", []):
        yield "next", step
