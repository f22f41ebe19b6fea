"""Settings of ingest that changed: other images are refused, other labels of the same images are followed."""

import logging

import pytest
from waves_of import rows_of

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.refusals import check, ingest_essentials
from fruits_pipeline.settings.commands import PackCommand
from fruits_pipeline.state.plan import Plan, save_plan
from fruits_pipeline.state.rooms import Rooms


@pytest.fixture
def checked(store, planned):
    """Checks a ``pack`` with these settings against an output that was planned with defaults."""

    def command(**settings):
        ingest = {"data_source": "/in"} | settings
        return PackCommand(output={"output_uri": store.root}, ingest=ingest)

    essentials = ingest_essentials(command().ingest)
    save_plan(store, planned(rows_of("ab"), Plan(settings=essentials, source_root="file:///in")))
    return lambda **settings: check(command(**settings), store, Rooms(store, overwrite=False))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"label_folder": "first"}, "label_folder: 'last' -> 'first'"),
        ({"unlabelled": ["new/*"]}, "unlabelled: [] -> ['new/*']"),
    ],
)
def test_other_labels_are_followed_and_logged(checked, caplog, settings, told):
    caplog.set_level(logging.INFO)
    checked()
    assert caplog.messages == []
    checked(**settings)
    assert caplog.messages == [f"labels and splits follow the changed setting {told}; no feature is computed for that"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"include": ["*.dat"]}, r"ingest: include: \[\] -> \['\*\.dat'\]"),
        ({"sample": 3, "label_folder": "none"}, "ingest: sample: None -> 3"),
        ({"data_source": "/other"}, "ingest: data_source: 'file:///in' -> 'file:///other'"),
    ],
)
def test_other_images_are_refused(checked, settings, told):
    with pytest.raises(DatasetError, match=told):
        checked(**settings)
