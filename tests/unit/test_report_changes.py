"""Images of two outputs held against each other: by path, by content, those that were not judged, and a cut."""

import json
import shutil

import pyarrow as pa
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.report.changes import changes_of
from fruits_pipeline.report.load import load_results
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.opening import open_store
from page_outputs import page_output


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two outputs of the same images, and one of these moved; two of the images have the same content."""
    folder = tmp_path_factory.mktemp("changes")
    images = folder / "here-images"
    page_output(folder / "here", 4)
    shutil.copytree(images, folder / "moved-images")
    for name, source in (("here", images), ("there", images), ("moved", folder / "moved-images")):
        shutil.rmtree(folder / name, ignore_errors=True)
        page_output(folder / name, 4, source=source)
    return folder


def results(folder):
    return load_results(open_store(str(folder)), {}, StorageSettings())


def test_moved_images_with_equal_contents_are_matched_one_by_one(made, monkeypatch):
    here, moved = results(made / "here"), results(made / "moved")
    whole = changes_of(here, moved)
    monkeypatch.setattr(f"{changes_of.__module__}.digests_of", lambda _store, _marker, paths: dict.fromkeys(paths, "x"))
    found = changes_of(here, moved)
    assert (whole.both, whole.judged_here, whole.judged_there) == (32, 0, 0)
    assert (found.both, found.judged_here + found.judged - 12) == (32, 0)


def test_images_that_are_not_compared_are_not_only_there(made):
    found = changes_of(results(made / "here"), results(made / "there"), most=10)
    assert (found.both, found.is_cut, found.judged_here, found.judged_there) == (10, True, 0, 0)
    assert not changes_of(results(made / "here"), results(made / "there"), most=32).is_cut


def test_leaks_that_were_left_out_and_images_without_a_label_were_not_judged(made, tmp_path):
    shutil.copytree(made / "there", tmp_path / "there")
    marker = json.loads((tmp_path / "there/_state/classify.json").read_text())
    marker["facts"]["leaks"]["dropped"] = True
    (tmp_path / "there/_state/classify.json").write_text(json.dumps(marker))
    here, there = results(made / "here"), results(tmp_path / "there")
    leaks = there.rows("leaks")[:3]
    there.tables["leaks"] = pa.Table.from_pylist(leaks, schemas.LEAKS)
    found = changes_of(here, there)
    assert (found.both, found.judged, found.judged_here, found.judged_there) == (32, 9, 3, 0)


def test_images_without_a_label_are_not_judged(made, monkeypatch):
    here = results(made / "here")
    module = changes_of.__module__
    read = __import__(module, fromlist=["x"]).column_batches

    def unlabelled(*given):
        for batch in read(*given):
            names = batch.schema.names
            columns = [pa.nulls(len(batch), pa.string()) if one == "label" else batch[one] for one in names]
            yield pa.RecordBatch.from_arrays(columns, names=names)

    monkeypatch.setattr(f"{module}.column_batches", unlabelled)
    found = changes_of(here, results(made / "there"))
    assert (found.both, found.judged, found.judged_here, found.judged_there) == (32, 0, 0, 0)
