"""Near-twins of training images among judged ones, and training labels that look wrong, on Spark."""

import logging

import numpy as np
import pandas as pd
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.classify import leaks as module
from fruits_pipeline.classify.inputs import counted, without
from fruits_pipeline.classify.leaks import facts_of, leaks
from fruits_pipeline.classify.suspects import suspects
from fruits_pipeline.classify.without_leaks import find_leaks, write_scores
from fruits_pipeline.errors import InputError
from fruits_pipeline.session.tables import spark_schema
from fruits_pipeline.settings.examine import ExamineSettings
from fruits_pipeline.storage.opening import open_store
from reduced_rows import reduced_row

TABLES = ("scores", "scores_with_leaks", "scores_without_leaks", "confusion", "label_scores", "mistakes", "confused")
TWINS = ExamineSettings(twin_cosine=0.6, twin_bits=4)


def frame(spark, rows, partitions=3):
    return spark.createDataFrame(rows, spark_schema(schemas.REDUCED)).repartition(partitions)


def reduced(spark):
    """Judged images beside twins of every kind: near, far by hash, far by components, unlabelled, not training."""
    near, other = [1.0, 0.1, 0.0], [-1.0, 0.3, 0.0]
    rows = [
        ("t/copy", "kiwi", "train", "same bytes", [1.0, 0.0, 0.0], 0, 7),
        ("t/near", "kiwi", "train", "t2", near, 0, 0b1111),
        ("t/hash", "kiwi", "train", "t3", near, 0, 0b111111 << 20),
        ("t/other", "plum", "train", "t4", other, 0, 0b1111),
        ("t/none", None, "train", "t5", [0.0, 0.0, 1.0], 0, 1 << 50),
        ("j/copy", "kiwi", "test", "same bytes", [1.0, 0.0, 0.0], 0, 7),
        ("j/near", "plum", "validation", "j2", [1.0, 0.0, 0.0], 0, 0),
        ("j/five", "kiwi", "test", "j3", near, 0, 0b1111 | 0b11111 << 30),
        ("j/none", "kiwi", "test", "j4", [0.0, 0.0, 1.0], 0, 1 << 50),
        ("j/unlabelled", None, "test", "j5", [1.0, 0.0, 0.0], 0, 7),
    ]
    return frame(spark, [reduced_row(*row[:5], perceptual_hash=row[6]) for row in rows])


def test_each_judged_image_has_its_nearest_twin_among_labelled_training_images(spark):
    table, looked_at = leaks(reduced(spark), 4, 4, TWINS)
    assert table.schema == schemas.LEAKS
    assert looked_at == 4
    found = {row["path"]: row for row in table.to_pylist()}
    assert list(found) == ["j/copy", "j/near"]
    assert found["j/copy"] == {
        "path": "j/copy",
        "label": "kiwi",
        "split": "test",
        "twin_path": "t/copy",
        "twin_label": "kiwi",
        "cosine": 1.0,
        "hash_bits": 0,
        "same_content": True,
    }
    assert (found["j/near"]["twin_path"], found["j/near"]["hash_bits"]) == ("t/copy", 3)
    facts = facts_of(table, looked_at, 4, TWINS, dropped=False)
    assert (facts.leaked, facts.same_content, facts.two_labels) == (2, 1, 1)


def test_partitions_make_no_difference(spark):
    rows = reduced(spark)
    assert leaks(rows.coalesce(1), 4, 4, TWINS)[0] == leaks(rows.repartition(7), 4, 4, TWINS)[0]


def test_too_many_pairs_are_looked_at_by_a_sample_which_is_told(spark, monkeypatch, caplog):
    monkeypatch.setattr(module, "MOST_PAIRS", 8)
    table, looked_at = leaks(reduced(spark), 4, 4, TWINS)
    assert 0 < looked_at < 4
    assert f"of {looked_at} of 4 judged images" in caplog.text
    assert leaks(reduced(spark).repartition(5), 4, 4, TWINS) == (table, looked_at)


def test_all_are_looked_at_in_parts_where_leaks_are_dropped(spark, monkeypatch):
    whole = leaks(reduced(spark), 4, 4, TWINS)
    monkeypatch.setattr(module, "MOST_PAIRS", 8)
    monkeypatch.setattr(module, "MOST_JUDGED", 2)
    assert leaks(reduced(spark), 4, 4, TWINS, whole=True) == whole


def test_dropped_leaks_are_in_no_table_and_the_scores_with_them_stand_beside(spark, tmp_path):
    """Two of five test images are leaks that were predicted rightly; the three others are wrong."""
    rows = [
        reduced_row(f"t/{n}", "kiwi", "train", f"t{n}", [1.0, 0.0, n / 9], perceptual_hash=n << 20) for n in range(3)
    ]
    rows += [reduced_row(f"j/{n}", "kiwi", "test", f"j{n}", [1.0, 0.0, n / 9], perceptual_hash=n << 20) for n in (0, 1)]
    rows += [reduced_row(f"j/{n}", "kiwi", "test", f"j{n}", [1.0, 0.0, 0.0], perceptual_hash=-n) for n in (2, 3)]
    rows += [reduced_row("j/4", "plum", "test", "j4", [0.0, 1.0, 0.0], perceptual_hash=-99)]
    reduced_rows = frame(spark, rows)
    found = counted(reduced_rows)
    store = open_store(str(tmp_path))
    said = [(row[0], row[0], row[2], row[3], "f", "kiwi" if row[0] in ("j/0", "j/1") else "fig", 0.9) for row in rows]
    predicted = spark.createDataFrame(said, spark_schema(schemas.PREDICTIONS))
    for drop, told_accuracy in ((False, 0.4), (True, 0.0)):
        leaked = find_leaks(store, reduced_rows, found, TWINS, drop=drop)
        assert leaked.facts.leaked == 2
        scores = write_scores(store, predicted, reduced_rows, leaked)
        assert scores["test"]["f"]["accuracy"] == pytest.approx(told_accuracy)
    evaluation = {name: pd.read_parquet(tmp_path / "evaluation" / name) for name in TABLES}
    assert evaluation["confusion"]["images"].sum() == 3
    assert set(evaluation["mistakes"]["path"]) == {"j/2", "j/3", "j/4"}
    accuracy = {
        name: table.set_index("metric")["value"].get("accuracy")
        for name, table in evaluation.items()
        if "scores" in name and "label" not in name
    }
    assert accuracy == pytest.approx({"scores": 0.0, "scores_with_leaks": 0.4, "scores_without_leaks": 0.0})
    kept = without(found, leaked.counts())
    assert (dict(kept.test), kept.uses.test, kept.uses.predicted_only) == ({"kiwi": 2, "plum": 1}, 3, 2)


def test_leaks_are_not_dropped_where_nothing_would_be_left(spark, tmp_path):
    rows = frame(spark, [
        reduced_row("t", "kiwi", "train", "t", [1.0, 0.0], perceptual_hash=1),
        reduced_row("j", "kiwi", "test", "j", [1.0, 0.0], perceptual_hash=1),
    ])  # fmt: skip
    with pytest.raises(InputError, match="--drop-leaks: expected test images without a near-twin"):
        find_leaks(open_store(str(tmp_path)), rows, counted(rows), TWINS, drop=True)


def test_nothing_judged_and_no_twin_are_empty_tables(spark):
    rows = reduced(spark)
    assert leaks(rows.where("split = 'train'"), 4, 0, TWINS) == (schemas.LEAKS.empty_table(), 0)
    assert leaks(rows.where("path in ('j/none', 't/other')"), 1, 1, TWINS) == (schemas.LEAKS.empty_table(), 1)


LABELS = ["fig", "kiwi", "plum"]


def blobs(wrong=()):
    """Sixty images of each label; those of ``wrong`` look like another label's."""
    rng = np.random.default_rng(5)
    rows = []
    for place, label in enumerate(LABELS):
        for n in range(60):
            centre = 6 * np.eye(3)[(place + 1) % 3 if (label, n) in wrong else place]
            values = (centre + rng.normal(size=3)).tolist()
            rows.append(reduced_row(f"{label}/{n:02d}", label, "train", f"{label}{n}", values))
    return rows


def test_labels_that_are_denied_firmly_are_told_surest_first(spark):
    wrong = {("fig", 3), ("plum", 7)}
    found = suspects(frame(spark, blobs(wrong)), LABELS)
    assert found.suspects.schema == schemas.SUSPECTS
    told = [(row["path"], row["suggested"]) for row in found.suspects.to_pylist()]
    assert sorted(told) == [("fig/03", "kiwi"), ("plum/07", "fig")]
    assert (found.facts.looked_at, found.facts.images) == (180, 2)
    denied = found.suspects["label_probability"].to_pylist()
    assert denied == sorted(denied)
    assert max(denied) < 0.01


def test_no_image_vouches_for_its_twin(spark):
    """Twenty copies of one look with a wrong label are all denied: they stand in one fold."""
    rows = blobs()
    copies = [
        reduced_row(f"fig/x{n:02d}", "fig", "train", f"x{n}", [0.0, 6.0 + 0.01 * n, 0.0], perceptual_hash=42)
        for n in range(20)
    ]
    found = suspects(frame(spark, rows + copies), LABELS)
    assert sum(path.startswith("fig/x") for path in found.suspects["path"].to_pylist()) == 20


def test_the_typical_image_is_nearest_to_its_labels_mean(spark):
    rows = blobs()
    found = suspects(frame(spark, rows), LABELS)
    assert found.typical.schema == schemas.TYPICAL
    assert found.typical["label"].to_pylist() == LABELS
    place = schemas.REDUCED.names.index("pca_features")
    for label, path in (tuple(row.values()) for row in found.typical.to_pylist()):
        mine = {row[0]: np.array(row[place]) for row in rows if row[2] == label}
        distances = {name: np.linalg.norm(values - np.mean([*mine.values()], axis=0)) for name, values in mine.items()}
        assert distances[path] <= sorted(distances.values())[2]


def test_too_many_labels_are_not_judged_and_have_a_picture_each(spark, monkeypatch, caplog):
    monkeypatch.setattr("fruits_pipeline.classify.suspects._MOST_LABELS", 2)
    with caplog.at_level(logging.WARNING):
        found = suspects(frame(spark, blobs()), LABELS)
    assert found.facts is None
    assert found.suspects.num_rows == 0
    assert found.typical["path"].to_pylist() == ["fig/00", "kiwi/00", "plum/00"]
    assert "more than 2 labels" in caplog.text


def test_of_labels_that_stand_in_one_fold_nothing_is_said(spark):
    rows = [row for row in blobs() if row[2] != "fig"]
    same = [reduced_row(f"fig/{n}", "fig", "train", f"f{n}", [6.0, 0.0, 0.0], perceptual_hash=9) for n in range(20)]
    found = suspects(frame(spark, rows + same), LABELS)
    assert (found.facts.looked_at, found.facts.images) == (120, 0)
    alike = suspects(frame(spark, same), ["fig"])
    assert (alike.facts.looked_at, alike.facts.images) == (0, 0)
    assert alike.typical["path"].to_pylist() == ["fig/0"]


@pytest.mark.parametrize("labels", [["kiwi"], ["kiwi", "lone"]])
def test_a_label_of_one_image_or_alone_is_no_fault(spark, labels):
    rows = [row for row in blobs() if row[2] == "kiwi"]
    rows += [reduced_row("lone/0", "lone", "train", "lone", [9.0, 9.0, 9.0])] * ("lone" in labels)
    found = suspects(frame(spark, rows), labels)
    assert found.facts.looked_at == 60
    assert found.facts.images <= 1
