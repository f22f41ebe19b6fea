"""How was it made? Components, seconds by room, versions and settings."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from pydantic import JsonValue

from fruits_pipeline.report.load import Results
from fruits_pipeline.report.settings_told import Setting, command_line, settings_of
from fruits_pipeline.report.words import clean, number_of, place, spoken

# Below it a room was kept rather than made, and its images a second would say nothing.
_LEAST_S: Final = 0.5


@dataclass(frozen=True)
class RoomTime:
    """Seconds of one room, and the images that it took; no images where it was kept."""

    name: str
    seconds: float
    images: int | None

    @property
    def rate(self) -> float | None:
        """Images a second."""
        return self.images / self.seconds if self.images and self.seconds >= _LEAST_S else None


@dataclass(frozen=True)
class Making:
    """The section.

    Attributes:
        components: Kept, of ``dimension``.
        dimension: Length of the features.
        variance_share: Share of the variance that is kept.
        variance: Rows of ``variance``; None where there is none.
        map: Rows of ``map``; None where there is none.
        times: Seconds by room, of the last command.
        fits: Seconds of each fit alone, by classifier.
        seconds_total: Of the last command; None where it has not ended.
        facts: Other facts: name and value.
        settings: What the results were made with.
        line: What repeats the last command.
    """

    components: int
    dimension: int
    variance_share: float
    variance: pa.Table | None
    map: pa.Table | None
    times: tuple[RoomTime, ...]
    fits: dict[str, float]
    seconds_total: float | None
    facts: tuple[tuple[str, str], ...]
    settings: tuple[Setting, ...]
    line: str | None


def making(results: Results) -> Making:
    """The section of an output."""
    reduced, classified = results.reduced.facts_or_fail, results.classified.facts_or_fail
    return Making(
        components=reduced.components,
        dimension=reduced.dimension,
        variance_share=reduced.variance_share,
        variance=results.tables.get("variance"),
        map=results.tables.get("map"),
        times=tuple(_times(results)),
        fits={spoken(name): seconds for name, seconds in classified.fit_s.items()},
        seconds_total=None if _is_running(results) else number_of(results.record.get("seconds_total")),
        facts=tuple(_facts(results)),
        settings=settings_of(results),
        line=command_line(results),
    )


def _times(results: Results) -> Iterator[RoomTime]:
    record, rows = results.record, results.reduced.facts_or_fail.rows
    counts, change = (_object(record.get(name)) for name in ("counts", "change"))
    took = {"ingest": counts.get("found"), "features": change.get("computed"), "reduce": rows, "classify": rows}
    for room, seconds in _object(record.get("seconds")).items():
        images = number_of(took.get(room, rows if room == "examine" else None))
        yield RoomTime(clean(room), number_of(seconds) or 0.0, None if images is None else int(images))


def _facts(results: Results) -> Iterator[tuple[str, str]]:
    record = results.record
    if isinstance(command := record.get("command"), str):
        yield "last command", clean(command)
    for name in ("started",) if _is_running(results) else ("status", "started", "finished"):
        if isinstance(value := record.get(name), str):
            yield name, clean(value)
    if results.source_root is not None:
        yield "images from", place(results.source_root)
    yield "results in", place(results.store.root)
    if results.reduced.labels is not None:
        yield "labels", "by a table of --labels"
    if not _is_running(results):
        yield from _cost(_object(record.get("cost")))
    for name, value in _object(record.get("machine")).items():
        yield clean(name), clean(str(value))
    for name, value in _object(record.get("versions")).items():
        if value is not None:
            yield clean(name), clean(str(value))


def _cost(used: dict[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """What the last command cost, where it was told its rates, and the requests that it sent to buckets."""
    most = _object(used.get("at_most"))
    if (amount := number_of(most.get("amount"))) is not None:
        yield "cost at most", clean(f"{amount:,.2f} {most.get('currency')}, for {most.get('hours')} hours")
    sent = {kind: int(number_of(count) or 0) for kind, count in _object(used.get("requests")).items()}
    if told := ", ".join(f"{count:,} {clean(kind)}" for kind, count in sent.items() if count):
        yield "requests to buckets", told


def _is_running(results: Results) -> bool:
    """Whether the page is a step of the command that ``run.json`` tells of: how that ends is not known yet."""
    return results.record.get("status") == "running"


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}
