"""Features with labels, as notebooks get them: from just the files that the markers name."""

import pandas as pd
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.reduce.split import split_of
from fruits_pipeline.results import labelled_features
from fruits_pipeline.state.plan import Plan, save_plan
from fruits_pipeline.storage.opening import open_store
from whole_output import SOURCE, WAVES, finish, planned, whole_output


@pytest.fixture
def output(tmp_path):
    return whole_output(tmp_path / "output")


def test_each_image_that_was_read_has_its_label_split_and_features(output):
    found = labelled_features(output.root)
    assert list(found.columns) == [
        "path",
        "source_path",
        "label",
        "split",
        "content_sha256",
        "width",
        "height",
        *schemas.FIGURES.names,
        "features",
    ]
    assert found["path"].tolist() == sorted(found["path"])
    manifest = pd.read_parquet(output.root.removeprefix("file://") + "/manifest").set_index("path")
    assert found["label"].tolist() == manifest.loc[found["path"], "label"].tolist()
    assert found["source_path"].tolist() == [path.removeprefix("file://") for path in found["path"]]
    assert len(found) == 7
    assert all(path.startswith(SOURCE) for path in found["path"])


def test_splits_are_those_of_the_folders_or_of_the_content(output):
    by_folder, by_content = labelled_features(output.root), labelled_features(output.root, train_split=0.5)
    expected = [split_of(digest, 0.5) for digest in by_content["content_sha256"]]
    assert by_content["split"].tolist() == expected
    assert by_folder["split"].notna().all()


def replanned(folder, splits):
    """An output whose images have ``splits`` in their manifest, in their order."""
    store = open_store(str(folder))
    waves = tuple(planned(store, wave, folder, names, splits) for wave, names in WAVES.items())
    save_plan(store, Plan(settings={}, source_root=SOURCE, next_wave=2, waves=waves))
    for wave in waves:
        finish(store, wave)
    return store


def test_images_outside_of_split_folders_have_no_split_where_any_image_has_one(tmp_path):
    tmp_path.joinpath("mixed").mkdir()
    found = labelled_features(replanned(tmp_path / "mixed", ["train", "validation", None]).root)
    assert [split or None for split in found["split"]] == [
        "train",
        "validation",
        None,
        "train",
        "validation",
        None,
        "train",
    ]
    tmp_path.joinpath("none").mkdir()
    found = labelled_features(replanned(tmp_path / "none", [None]).root)
    assert found["split"].tolist() == [split_of(digest, 0.8) for digest in found["content_sha256"]]


def test_files_that_no_marker_names_are_not_read(output):
    key = "features/wave=00000/part-00000.parquet"
    output.write(key.replace("part-", "part-9"), output.read(key))
    output.write(key.replace("part-", "other-"), output.read(key))
    assert len(labelled_features(output.root)) == 7


def test_unfinished_features_are_refused(output):
    output.delete(["_state/waves/00001.json"])
    with pytest.raises(DatasetError, match="1 of 2 batches of images done"):
        labelled_features(output.root)
