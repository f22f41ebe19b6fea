"""Labels and splits beside features: from the manifest, from a table, by the content's hash."""

import pandas as pd
import pytest
from feature_jobs import Bench, mean_colour_model, picture

from fruits_pipeline.errors import DatasetError, InputError
from fruits_pipeline.reduce.labels import copied_labels, labelled
from fruits_pipeline.reduce.rule import Given, given, rule_of
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


def table_of(bench, table=None, share=None):
    frame = labelled(bench.spark, bench.snapshot, table, share).drop("features").toPandas()
    return frame.set_index(frame["path"].map(lambda path: uri.below(path, bench.snapshot.source_root)))


def table_at(bench, tmp_path, text):
    file = tmp_path / "labels.csv"
    file.write_text(text.replace("ROOT", str(bench.images)))
    return TableSource(uri.normalise(str(file)))


def test_folders_decide_and_other_images_have_no_split(bench):
    table = table_of(bench)
    assert len(table) == 122
    assert (table.loc["Test/Plum/x.png", "split"], table.loc["Training/Plum/y.png", "split"]) == ("test", "train")
    assert table.loc["Test/Plum/x.png", "label"] == "Plum"
    assert table[table["label"] == "Kiwi"]["split"].isna().all()


def test_a_share_beats_the_folders_and_equal_contents_stand_on_one_side(bench):
    table = table_of(bench, share=0.5)
    assert table["split"].tolist() == [split_of(sha, 0.5) for sha in table["content_sha256"]]
    assert set(table["split"]) == {"train", "test"}
    assert table.groupby("content_sha256")["split"].nunique().max() == 1


def test_what_manifest_and_table_give_is_counted_over_all_parts(bench, tmp_path, monkeypatch):
    monkeypatch.setattr("fruits_pipeline.reduce.rule.PART_IMAGES", 50)
    assert given(bench.spark, bench.snapshot, None) == Given(
        images=123, with_split=2, labelled=123, labelled_training=1
    )
    source = table_at(
        bench, tmp_path, "path,label,split\nROOT/Kiwi/0.png,x,train\nROOT/Kiwi/1.png,,train\nROOT/no.png,x,\n"
    )
    found = given(bench.spark, bench.snapshot, copied_labels(bench.store, source))
    assert found == Given(images=123, with_split=2, labelled=1, labelled_training=1, named=2)


@pytest.mark.parametrize(
    ("train_split", "found", "share", "only_labelled"),
    [
        ("folder", Given(images=9, with_split=1, labelled=9, labelled_training=1), None, True),
        ("folder", Given(images=9, with_split=9, labelled=3), None, False),
        ("folder", Given(images=9), 0.8, False),
        ("folder", Given(images=9, labelled=1), 0.8, True),
        (0.6, Given(images=9, with_split=9, labelled=9, labelled_training=9), 0.6, True),
    ],
)
def test_the_rule_of_a_setting(train_split, found, share, only_labelled):
    rule = rule_of(train_split, found)
    assert (rule.share, rule.only_labelled) == (share, only_labelled)


def test_parts_of_the_snapshot_have_all_rows_once(bench):
    parts = list(bench.snapshot.parts(50))
    assert [part.counts.images for part in parts] == [50, 50, 23]
    frames = [labelled(bench.spark, part, None, None).select("path").toPandas() for part in parts]
    assert sorted(pd.concat(frames)["path"]) == sorted(table_of(bench)["path"])


def test_a_table_replaces_labels_and_leaves_splits(bench, tmp_path):
    source = table_at(
        bench, tmp_path, "path,label\nROOT/Test/Plum/x.png,stone\nROOT/Kiwi/0.png,berry\nROOT/none.png,x\n"
    )
    copied = copied_labels(bench.store, source)
    assert not copied.has_split
    assert given(bench.spark, bench.snapshot, copied).named == 2
    table = table_of(bench, copied)
    assert (table.loc["Test/Plum/x.png", ["label", "split"]] == ["stone", "test"]).all()
    assert table.loc["Kiwi/0.png", "label"] == "berry"
    assert table["label"].notna().sum() == 2
    assert len(table) == 122


def test_a_table_with_splits_replaces_both(bench, tmp_path):
    source = table_at(bench, tmp_path, "path,label,split\nROOT/Test/Plum/x.png,stone,train\n")
    table = table_of(bench, copied_labels(bench.store, source))
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
        copied_labels(bench.store, table_at(bench, tmp_path, text))


def test_a_file_of_features_that_is_gone_is_told(bench, monkeypatch, golden):
    gone = [f"{bench.snapshot.root}/features/wave=00000/part-00000-gone.parquet"]
    monkeypatch.setattr(type(bench.snapshot), "files", lambda *_: gone)
    with pytest.raises(DatasetError) as told:
        labelled(bench.spark, bench.snapshot, None, None)
    golden("file_of_features_gone", str(told.value), output=bench.output)
