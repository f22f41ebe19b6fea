"""What sections of the page say of lists that are cut, of settings and of a run that has not ended."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.report import inputs as sections
from fruits_pipeline.report.inputs import inputs
from fruits_pipeline.report.load import load_results
from fruits_pipeline.report.making import making
from fruits_pipeline.report.mistakes import mistakes
from fruits_pipeline.report.settings_told import command_line, made_with
from fruits_pipeline.report.write_report import write_report
from fruits_pipeline.settings.report import ReportSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state import layout
from fruits_pipeline.state.record import load_record
from page_outputs import page_output

STORAGE = StorageSettings()


@pytest.fixture
def store(tmp_path):
    """An output of six labels."""
    return page_output(tmp_path / "results", 6)


@pytest.fixture
def results(store):
    """What is read of it."""
    return load_results(store, load_record(store) or {}, STORAGE)


def examined_with(store, **settings):
    key = "_state/examine.json"
    marker = json.loads(store.read(key)) | {"settings": settings}
    store.write(key, json.dumps(marker).encode())
    return load_results(store, load_record(store) or {}, STORAGE)


def test_totals_of_mistakes_are_those_of_the_confusion_not_of_the_capped_tables(results):
    wrong = [
        row
        for row in results.rows("confusion", classifier=results.best, split="test")
        if row["label"] != row["prediction"]
    ]
    for name in ("mistakes", "confused"):
        rows = results.rows(name, classifier=results.best, split="test")[:1]
        results.tables[name] = pa.Table.from_pylist(rows, schemas.ALL[name])
    found = mistakes(results)
    assert (found.mistakes.total, found.mistakes.stored) == (sum(row["images"] for row in wrong), 1)
    assert (found.pairs.total, found.pairs.stored) == (len(wrong), 1)
    assert found.mistakes.note == f"1 of {found.mistakes.total:,} shown, 1 of them in evaluation/mistakes"


def test_labels_and_images_are_counted_before_the_cap_and_no_label_is_none(results, monkeypatch):
    rows = [*results.rows("label_counts"), {"label": None, "split": None, "images": 5}]
    results.tables["label_counts"] = pa.Table.from_pylist(rows, schemas.LABEL_COUNTS)
    monkeypatch.setattr(sections, "MOST_LABELS", 2)
    found = inputs(results)
    images = sum(row["images"] for row in rows)
    assert len(found.labels.items) == 2
    assert found.labels_told == f"6 labels, {images} images, 5 of them without a label"
    assert "none" in found.sides


def test_a_run_that_has_not_ended_is_not_said_to_be_running(results):
    record = results.record | {"status": "running", "finished": None}
    names = [name for name, _ in making(replace(results, record=record)).facts]
    assert {"started"} <= set(names)
    assert not {"status", "finished"} & set(names)
    assert making(replace(results, record=record)).seconds_total is None
    assert making(results).seconds_total == 95.1


def test_the_cost_and_the_requests_of_the_last_command_are_told_where_they_are_known(results):
    cost = {
        "at_most": {"amount": 12.5, "currency": "EUR", "hours": 3.25},
        "requests": {"list": 2, "get": 90_000, "head": 0},
    }
    found = dict(making(replace(results, record=results.record | {"cost": cost})).facts)
    assert found["cost at most"] == "12.50 EUR, for 3.25 hours"
    assert found["requests to buckets"] == "2 list, 90,000 get"
    here = {"at_most": None, "requests": {"list": 0}}
    found = dict(making(replace(results, record=results.record | {"cost": here})).facts)
    assert not found.keys() & {"cost at most", "requests to buckets"}


def test_settings_of_examine_are_those_of_its_marker_not_of_a_refused_command(store):
    results = examined_with(store, blurred_below=7.5)
    refused = results.record | {"settings": {"blurred_below": 1.0}}
    assert made_with(replace(results, record=refused))["blurred_below"] == 7.5


def test_the_line_that_repeats_the_run_says_nothing_of_buckets_and_of_the_session(results):
    private = {
        "s3_endpoint_url": "https://inner.example.com",
        "s3_profile": "somebody",
        "s3_sse_kms_key_id": "arn:key",
        "gcs_billing_project": "secret-project",
        "s3_anonymous": True,
        "driver_memory": "9g",
        "log_level": "DEBUG",
    }
    given = results.record["settings"] | private
    line = command_line(replace(results, record=results.record | {"settings": given}))
    assert "--data-source fruits" in line
    assert not [name for name in private if name.replace("_", "-") in line]


def test_the_page_says_by_what_pictures_look_the_same_and_calls_steps_so(store):
    examined_with(store, twin_cosine=0.65)
    write_report(store, load_record(store) or {}, ReportSettings(report_images="none"), STORAGE)
    text = " ".join(store.read(layout.REPORT).decode().split())
    assert "equal perceptual hashes, and components with a cosine of at least 0.65" in text
    assert '<th scope="col">step</th>' in text
    assert '<th scope="col">room</th>' not in text
    assert "base-uri &#39;none&#39;; form-action &#39;none&#39;" in text
