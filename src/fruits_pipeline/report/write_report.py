"""Writes the page of a finished output: read, judged, drawn, and put there at once."""

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from fruits_pipeline.report.comparison import comparison
from fruits_pipeline.report.contents import digests_of
from fruits_pipeline.report.evidence import evidence_of
from fruits_pipeline.report.facts import Reported
from fruits_pipeline.report.inputs import inputs
from fruits_pipeline.report.load import Results, load_results
from fruits_pipeline.report.making import making
from fruits_pipeline.report.mistakes import mistakes
from fruits_pipeline.report.page import Page, html_of
from fruits_pipeline.report.pictures import Album, album_of, left_out
from fruits_pipeline.report.trust import trust
from fruits_pipeline.report.verdicts import verdicts_of
from fruits_pipeline.report.words import place
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.report import ReportSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.layout import REPORT, RoomName
from fruits_pipeline.state.room_marker import RoomMarker, digest_of_sources
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.storage.store import Store
from fruits_pipeline.timeline import step

log = logging.getLogger(__name__)


def write_report(
    store: Store,
    record: Mapping[str, JsonValue],
    settings: ReportSettings,
    storage: StorageSettings,
    other: Results | None = None,
) -> Reported:
    """Writes ``report.html``, in place of the one before, and gives what it came to; the caller holds the lease.

    Args:
        store: An output with finished classifiers.
        record: What its ``run.json`` holds, or will hold.
        settings: What is shown and judged.
        storage: How buckets are reached.
        other: An output to compare it with.

    Raises:
        DatasetError: When the output is not finished, or a ``report.html`` of somebody else stands there.
    """
    rooms = Rooms(store, overwrite=True)
    rooms.check("report", settings.essentials())
    results = load_results(store, dict(record), storage)
    verdicts = verdicts_of(evidence_of(results), settings)
    page = Page(
        title=place(store.root),
        trust=trust(results, evidence_of(results), verdicts),
        mistakes=mistakes(results),
        inputs=inputs(results),
        making=making(results),
        comparison=None if other is None else comparison(results, other),
    )
    with step("report: pictures"):
        album = _album(page, results, settings, storage)
    with step("report: page"):
        content = html_of(page, album).encode()
    rooms.remove("report")  # so that it is made again with the same settings too: run.json is another one
    rooms.begin("report", settings.essentials(), _made_from(results), Reported)
    store.write(REPORT, content)
    missing = len(album.thumbnails) - album.shown if settings.report_images == "all" else 0
    reported = Reported(verdicts=verdicts, bytes=len(content), pictures=album.shown, missing=missing)
    rooms.finish("report", reported)
    log.info("written file=%s bytes=%d pictures=%d missing=%d", REPORT, len(content), album.shown, missing)
    return reported


def keep_report(
    store: Store, record: Mapping[str, JsonValue], settings: ReportSettings, storage: StorageSettings
) -> Reported:
    """The same, unless the page that stands there is of the same results and settings: then what that came to."""
    made_from = _made_from(load_results(store, dict(record), storage))
    kept = Rooms(store, overwrite=True).kept("report", settings.essentials(), made_from, Reported)
    return write_report(store, record, settings, storage) if kept is None else kept.facts_or_fail


def _made_from(results: Results) -> str:
    markers: dict[RoomName, RoomMarker[Any] | None] = {"examine": results.examined, "classify": results.classified}
    return digest_of_sources("report", markers)


def _album(page: Page, results: Results, settings: ReportSettings, storage: StorageSettings) -> Album:
    paths = list(dict.fromkeys(page.paths))
    if settings.report_images == "none":
        return left_out(paths)
    return album_of(paths, digests_of(results.store, results.reduced, paths), _reading(results), storage)


def _reading(results: Results) -> FeaturesSettings:
    """How the run read images: what its recipe says, else the defaults."""
    recipe = results.snapshot.waves[0].recipe.settings if results.snapshot else {}
    known = {name: recipe[name] for name in ("max_pixels", "max_bytes") if name in recipe}
    return FeaturesSettings.model_validate(known)
