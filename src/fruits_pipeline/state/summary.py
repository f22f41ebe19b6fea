"""What a command came to, in a few lines for a person."""

from collections.abc import Iterator
from typing import Any, Final

from fruits_pipeline.state.counts import Sides
from fruits_pipeline.state.layout import REPORT

# Facts of the classifiers that list labels: what the line is called, and whose labels they are.
_LABELS: Final = {
    "unlearnt": ("not learnt", "test or validation images"),
    "unjudged": ("not judged", "training images"),
}

# What ``run.json`` calls otherwise.
_CHANGES: Final = {"carried": "copied", "gone": "removed", "relabelled": "relabelled images"}


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
    if changed := [f"{_CHANGES.get(what, what)} {n}" for what, n in record.get("change", {}).items() if n]:
        yield "features", ", ".join(changed)
    yield from _use_facts(rooms)
    if "reduce" in rooms:
        reduced = rooms["reduce"]
        if (named := reduced.get("labelled_by_table")) is not None:
            yield "labels", f"of {named} images by the table of --labels, others have none"
        yield (
            "components",
            f"{reduced['components']} of {reduced['dimension']}, {reduced['variance_share']:.1%} of variance",
        )
    if "classify" in rooms:
        yield from _score_facts(rooms["classify"])
    if "score" in rooms:
        yield from _new_facts(rooms["score"])
    yield from _end_facts(record, output)


def _end_facts(record: dict[str, Any], output: str) -> Iterator[tuple[str, str]]:
    """How long it took, where the results and the page are, and what to run next."""
    parts = ", ".join(f"{room} {seconds}" for room, seconds in record["seconds"].items())
    yield "seconds", f"{record['seconds_total']} ({parts})"
    if cost := record.get("cost", {}).get("at_most"):
        told = f"at most {cost['amount']:,.2f} {cost['currency']}"
        yield "cost", f"{told}, for all that was rented in {cost['hours']:.2f} hours and the requests"
    yield "results", output
    if reported := record["rooms"].get("report"):
        yield "report", _page(reported, output)
    for step in record.get("next", []):
        yield "next", step


def _page(reported: dict[str, Any], output: str) -> str:
    """Where the page is, and which verdicts on it are worth a look."""
    told = [
        f"{state}: {', '.join(names)}"
        for state in ("bad", "look")
        if (names := [verdict["name"] for verdict in reported["verdicts"] if verdict["state"] == state])
    ]
    return f"{output.rstrip('/')}/{REPORT} ({'; '.join(told) or 'nothing to look at'})"


def _use_facts(rooms: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Images by what they were used for, once ``--train-split`` has split them."""
    split = [rooms[room] for room in ("classify", "reduce") if room in rooms]
    if split:
        uses = ", ".join(f"{use.replace('_', ' ')} {images}" for use, images in split[0]["uses"].items())
        yield "used for", f"{uses} (by {rooms['reduce']['split_by']})" if "reduce" in rooms else uses


def _score_facts(classified: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Scores on the side that is told, and labels that are not learnt or not judged."""
    side = classified["judged"]
    for name, scores in classified["scores"].items():
        yield "accuracy", f"{scores['accuracy']:.2%} {name} on {side}, macro F1 {scores['macro_f1']:.4f}"
    for fact, (name, images) in _LABELS.items():
        if classified[fact]["labels"]:
            yield name, _labels(classified[fact], images)


def _new_facts(scored: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What models said of new images, and how right they were."""
    yield "models", scored["models"]
    judged = f"judged {scored['judged']}, unfamiliar {scored['unfamiliar']}"
    yield "scored", f"{scored['images']} images: {judged}, learnt from and not judged {scored['learnt']}"
    for name, scores in scored["scores"].items():
        yield "accuracy", f"{scores['accuracy']:.2%} {name}, macro F1 {scores['macro_f1']:.4f}"
    yield "drift", _drift(scored["drift"])
    if scored["unlearnt"]["labels"]:
        yield "not learnt", _labels(scored["unlearnt"], "scored images")


def _drift(drift: dict[str, Any]) -> str:
    """Whether new images look like training images, and how labels, unfamiliar images and rejects differ."""
    looks, before, figures = drift["looks"], drift["trained_rejected_share"], drift.get("figures", {})
    rejected = "" if before is None else f" (training {before:.1%})"
    shares = (
        f"label shift {drift['label_shift']:.2f}, unfamiliar {drift['unfamiliar_share']:.1%}, "
        f"rejected {drift['rejected_share']:.1%}{rejected}"
    )
    shares += "".join(f", {name} {one['new']:.2f} (training {one['trained']:.2f})" for name, one in figures.items())
    if looks is None:
        return f"not judged, too few images of the same labels; {shares}"
    how = f"AUC {looks['auc']:.3f}, p {looks['p_value']:.3f}, {looks['new']} images"
    return f"{'new images differ' if drift['verdict'] == 'drift' else 'none'} ({how}); {shares}"


def _labels(labels: dict[str, Any], images: str) -> str:
    """How many labels of which images, and the first of them."""
    number = f"{labels['labels']} label{'s' * (labels['labels'] > 1)}"
    more = ", ..." if labels["labels"] > len(labels["names"]) else ""
    return f"{number} of {images} ({labels['images']} images): {', '.join(map(repr, labels['names']))}{more}"
