"""Labels and splits beside features: from the manifest, from a table, by the content's hash."""

import pandas as pd
import pytest
from feature_jobs import Bench, mean_colour_model, picture

from fruits_pipeline.errors import DatasetError, InputError
from fruits_pipeline.reduce.labels import Labelling, copied_labels, labelled, matched
from fruits_pipeline.reduce.split import split_of
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.table import TableSource


@pytest.fixture(scope="module")
def bench(spark, tmp_path_factory):
    bench = Bench(spark, tmp_path_factory.mktemp("labels"), mean_colour_model(tmp_path_factory.mktemp("model")))
    for n in range(60):
        bench.add(f"Kiwi/{n}.png", picture((n, 0, 0)))
        bench.add(f"Kiwi/twin-{n}.png", picture((n, 0, 0)))
    bench.add("Test/Plum/x.png", picture((0, 0, 0)))
    bench.add("Training/Plum/y.png", picture((0, 9, 0)))
    bench.add("Plum/text.png", b"no image")
    bench.run(wave_images=50)
    return bench


def table_of(bench, labelling):
    frame = labelled(bench.spark, bench.snapshot, labelling).drop("features").toPandas()
    return frame.set_index(frame["path"].map(lambda path: uri.below(path, bench.snapshot.source_root)))


def given(bench, tmp_path, text):
    file = tmp_path / "labels.csv"
    file.write_text(text.replace("ROOT", str(bench.images)))
    return TableSource(uri.normalise(str(file)))


def test_folders_decide_and_other_images_are_split_by_their_content(bench):
    table = table_of(bench, Labelling("folder"))
    assert len(table) == 122
    assert (table.loc["Test/Plum/x.png", "split"], table.loc["Training/Plum/y.png", "split"]) == ("test", "train")
    assert table.loc["Test/Plum/x.png", "label"] == "Plum"
    hashed = table[table["label"] == "Kiwi"]
    assert hashed["split"].tolist() == [split_of(sha, 0.8) for sha in hashed["content_sha256"]]
    assert set(hashed["split"]) == {"train", "test"}
    assert hashed.groupby("content_sha256")["split"].nunique().max() == 1


def test_a_fraction_beats_the_folders(bench):
    table = table_of(bench, Labelling(0.5))
    assert table["split"].tolist() == [split_of(sha, 0.5) for sha in table["content_sha256"]]


def test_parts_of_the_snapshot_have_all_rows_once(bench):
    parts = list(bench.snapshot.parts(50))
    assert [part.counts.images for part in parts] == [50, 50, 23]
    frames = [labelled(bench.spark, part, Labelling("folder")).select("path").toPandas() for part in parts]
    assert sorted(pd.concat(frames)["path"]) == sorted(table_of(bench, Labelling("folder"))["path"])


def test_a_table_replaces_labels_and_leaves_splits(bench, tmp_path):
    source = given(bench, tmp_path, "path,label\nROOT/Test/Plum/x.png,stone\nROOT/Kiwi/0.png,berry\nROOT/none.png,x\n")
    address, has_split = copied_labels(bench.store, source)
    assert not has_split
    assert matched(bench.spark, bench.snapshot, address) == 2
    table = table_of(bench, Labelling("folder", address, has_split))
    assert (table.loc["Test/Plum/x.png", ["label", "split"]] == ["stone", "test"]).all()
    assert table.loc["Kiwi/0.png", "label"] == "berry"
    assert table["label"].notna().sum() == 2
    assert len(table) == 122


def test_a_table_with_splits_replaces_both(bench, tmp_path):
    source = given(bench, tmp_path, "path,label,split\nROOT/Test/Plum/x.png,stone,train\n")
    address, has_split = copied_labels(bench.store, source)
    table = table_of(bench, Labelling("folder", address, has_split))
    assert (table.loc["Test/Plum/x.png", ["label", "split"]] == ["stone", "train"]).all()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path,label\nROOT/a.png,\n", "found no label"),
        ("path\nROOT/a.png\n", "found no label"),
        ("path,label\nROOT/a.png,x\nROOT/a.png,y\n", "each path once"),
    ],
)
def test_a_table_that_is_no_labelling_is_refused(bench, tmp_path, text, told):
    with pytest.raises(InputError, match=told):
        copied_labels(bench.store, given(bench, tmp_path, text))


def test_a_file_of_features_that_is_gone_is_told(bench, monkeypatch, golden):
    gone = [f"{bench.snapshot.root}/features/wave=00000/part-00000-gone.parquet"]
    monkeypatch.setattr(type(bench.snapshot), "files", lambda *_: gone)
    with pytest.raises(DatasetError) as told:
        labelled(bench.spark, bench.snapshot, Labelling("folder"))
    golden("file_of_features_gone", str(told.value), output=bench.output)
