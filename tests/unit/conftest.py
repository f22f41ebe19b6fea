"""Fixtures of the unit layer: an output on disk, and plans of waves for rows that are told."""

import pytest
from waves_of import Told

from fruits_pipeline.ingest import plan_waves as room
from fruits_pipeline.ingest import runs
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.state.plan import Plan
from fruits_pipeline.storage.opening import open_store

NO_PLAN = Plan(settings={}, source_root="")


@pytest.fixture
def store(tmp_path):
    """The store of an output that nothing was written to yet."""
    return open_store(str(tmp_path / "output"))


@pytest.fixture
def planned(store, monkeypatch):
    """Plans the waves of rows that a source tells in any order; batches and runs are tiny."""
    monkeypatch.setattr(room, "listed", lambda source, _: source.tables())
    monkeypatch.setattr(runs, "_BATCH_ROWS", 2)
    monkeypatch.setattr(runs.sorted_runs, "__defaults__", (5,))

    def plan(rows, before=NO_PLAN, wave_images=2, finished=frozenset(), wave_rows=100, nearly=False, **settings):
        source = rows if hasattr(rows, "tables") else Told(rows)
        asked = IngestSettings(data_source="in", **settings)
        cut = room.Cut(wave_images, frozenset(finished), wave_rows, nearly)
        return room.plan_waves(source, store, asked, before, cut)

    return plan
