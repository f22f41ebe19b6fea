"""The results as a page of tables: medians, spread, ratios, and what was wanted. Pure: figures in, text out."""

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from catalog import LINES

# What was wanted, as a ratio of two lines' rates: (what, line, other line, at least, the processor's
# flag without which it is not asked).
WANTED = (
    ("ours f32 / (a)", "f-f32", "a", 8.0, None),
    ("ours bf16 / (a), on a processor with AMX", "f-bf16", "a", 14.0, "amx_bf16"),
    ("ours int8 / (a)", "f-int8", "a", 18.0, None),
    ("ours at its cheapest within 0.5 points of accuracy / (a)", "f-int8-160px", "a", 30.0, None),
    ("ours f32 / (b)", "f-f32", "b", 3.0, None),
    ("ours f32 / (d)", "f-f32", "d", 1.0, None),
    ("ours f32 / (e)", "f-f32", "e", 1.0, None),
    ("ours f32 / (g)", "f-f32", "g-f32", 0.92, None),
    ("ours int8 / (g)", "f-int8", "g-int8", 0.85, None),
)

Row = Mapping[str, Any]


def report(facts: Row, rounds: list[Row], figures: list[Row]) -> str:
    """The page as Markdown.

    Args:
        facts: what ``machine.facts`` gave.
        rounds: one row for each line and round, with ``images_per_s``, or ``skipped`` or ``failed`` and why.
        figures: rows of ``what``, ``found`` and ``at_most`` or ``at_least``, or ``skipped`` or ``failed``.
    """
    parts = [_head(facts)]
    if rounds:
        parts += [_lines(rounds), _wanted(rounds, facts["flags"])]
    if figures:
        parts.append(_figures(figures))
    return "\n\n".join(parts) + "\n"


def ratios(rounds: Iterable[Row], line: str, other: str, figure: str = "images_per_s") -> list[float]:
    """The ratio of two lines' rates, or of another figure of theirs, in each round that has both.

    >>> rows = [{"round": 1, "line": "f", "images_per_s": 30.0}, {"round": 1, "line": "a", "images_per_s": 10.0}]
    >>> ratios(rows, "f", "a"), ratios(rows, "f", "g")
    ([3.0], [])
    """
    found = {(row["round"], row["line"]): row[figure] for row in rounds if figure in row}
    return [found[n, line] / found[n, other] for n, name in found if name == line and (n, other) in found]


def _head(facts: Row) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items() if number)
    return (
        f"# Benchmark of {facts['commit']}, {facts['date']}\n\n"
        f"{facts['processor']}, {facts['cores']} cores ({' '.join(facts['flags'])}), "
        f"load {facts['load_before']} before the start; Python {facts['python']}, {versions}."
    )


def _lines(rounds: list[Row]) -> str:
    rows = [
        "| line | images/s (lowest to highest) | / (a) | / (g) | images | start-up s | worker MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, line in LINES.items():
        mine = [row for row in rounds if row["line"] == name]
        if not mine:
            continue
        label = f"({name}) {line.what}"
        done = [row for row in mine if "images_per_s" in row]
        if not done:
            rows.append(f"| {label} | {why(mine[-1])} | | | | | |")
            continue
        bound = _ratio(rounds, name, line.bound) if line.bound else ""
        peaks = [row["worker_peak_mb"] for row in done if row["worker_peak_mb"]]
        rows.append(
            f"| {label} | {spread([row['images_per_s'] for row in done])} | {_ratio(rounds, name, 'a')} | {bound} "
            f"| {done[-1]['images']} | {_median(done, 'startup_s'):.0f} | {max(peaks) if peaks else ''} |"
        )
    return "\n".join(rows)


def _wanted(rounds: list[Row], flags: list[str]) -> str:
    rows = ["| wanted | at least | found (lowest to highest) | |", "|---|---|---|---|"]
    for what, line, other, least, flag in WANTED:
        found = ratios(rounds, line, other)
        verdict = _verdict(met=median(found) >= least) if found else "not measured"
        if flag and flag not in flags:
            verdict = f"not asked: no {flag} here"
        rows.append(f"| {what} | {least:g} | {spread(found) if found else ''} | {verdict} |")
    return "\n".join(rows)


def _figures(figures: list[Row]) -> str:
    rows = ["| figure | wanted | found | |", "|---|---|---|---|"]
    for figure in figures:
        if "found" not in figure:
            rows.append(f"| {figure['what']} | | {why(figure)} | not measured |")
            continue
        found = float(figure["found"])
        least, most = figure.get("at_least"), figure.get("at_most")
        wanted = f"at least {least}" if least is not None else f"at most {most}" if most is not None else "reported"
        met = (least is None or found >= least) and (most is None or found <= most)
        verdict = "" if wanted == "reported" else _verdict(met=met)
        rows.append(f"| {figure['what']} | {wanted} | {found:g} {figure.get('unit', '')} | {verdict} |")
    return "\n".join(rows)


def why(row: Row) -> str:
    """Why a row has no figures."""
    return f"skipped: {row['skipped']}" if "skipped" in row else f"failed: {row.get('failed')}"


def _verdict(*, met: bool) -> str:
    return "reached" if met else "missed"


def _ratio(rounds: list[Row], line: str, other: str) -> str:
    found = ratios(rounds, line, other)
    return f"{median(found):.2f}" if found else ""


def _median(rows: list[Row], column: str) -> float:
    return median(row[column] for row in rows)


def spread(values: list[float]) -> str:
    """The median, with the lowest and the highest value in brackets."""
    return f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})"
