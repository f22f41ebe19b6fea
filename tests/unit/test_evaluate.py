import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from fruits_pipeline import schemas
from fruits_pipeline.classify.evaluate import COUNTED, confusion_of, groups_of, label_scores_table, scores_table
from fruits_pipeline.classify.intervals import over_groups, over_images, wilson


def confusion(truth, predicted, classifier="random_forest", split="test"):
    pairs = sorted(set(zip(truth, predicted, strict=True)))
    found = list(zip(truth, predicted, strict=True))
    rows = [
        {"classifier": classifier, "split": split, "label": a, "prediction": b, "images": found.count((a, b))}
        for a, b in pairs
    ]
    return pa.Table.from_pylist(rows, schema=schemas.CONFUSION)


def judged(kind):
    noise = np.random.default_rng(3)
    known = ["Apple Red 1", "banana", "Kiwi", "Ünlü"]
    truth = noise.choice(known, 200).tolist()
    predicted = [t if noise.random() < 0.7 else str(noise.choice(known)) for t in truth]
    if kind == "never predicted":
        predicted = ["Kiwi" if p == "banana" else p for p in predicted]
    if kind == "absent from training":
        truth[:20] = ["Quince"] * 20
    if kind == "predicted, but no test image has it":
        truth = ["Kiwi" if t == "banana" else t for t in truth]
    return truth, predicted


CASES = ["plain", "never predicted", "absent from training", "predicted, but no test image has it"]


@pytest.mark.parametrize("kind", CASES)
def test_metrics_are_those_of_scikit_learn(kind):
    truth, predicted = judged(kind)
    precision, recall, _, _ = precision_recall_fscore_support(truth, predicted, average="weighted", zero_division=0)
    table = scores_table(confusion(truth, predicted), {})
    assert table.schema == schemas.SCORES
    found = dict(zip(table["metric"].to_pylist(), table["value"].to_pylist(), strict=True))
    assert found == pytest.approx(
        {
            "accuracy": accuracy_score(truth, predicted),
            "weighted_precision": precision,
            "weighted_recall": recall,
            "macro_f1": f1_score(truth, predicted, average="macro", zero_division=0),
        }
    )


@pytest.mark.parametrize("kind", CASES)
def test_label_scores_are_those_of_scikit_learn(kind):
    truth, predicted = judged(kind)
    table = label_scores_table(confusion(truth, predicted))
    assert table.schema == schemas.LABEL_SCORES
    assert table["label"].to_pylist() == sorted({*truth, *predicted})
    expected = precision_recall_fscore_support(truth, predicted, labels=table["label"].to_pylist(), zero_division=0)
    for name, values in zip(["precision", "recall", "f1", "images"], expected, strict=True):
        assert table[name].to_pylist() == pytest.approx(values.tolist())


def test_classifiers_are_judged_apart():
    right = confusion(["a", "b"], ["a", "b"], "random_forest")
    wrong = confusion(["a", "b"], ["b", "a"], "logistic_regression")
    table = scores_table(pa.concat_tables([right, wrong]), {}).to_pylist()
    accuracy = {row["classifier"]: row["value"] for row in table if row["metric"] == "accuracy"}
    assert accuracy == {"logistic_regression": 0.0, "random_forest": 1.0}


def test_sides_are_judged_apart():
    right, wrong = confusion(["a", "b"], ["a", "b"], split="test"), confusion(["a"] * 4, ["b"] * 4, split="validation")
    both = pa.concat_tables([right, wrong])
    accuracy = {row["split"]: row["value"] for row in scores_table(both, {}).to_pylist() if row["metric"] == "accuracy"}
    assert accuracy == {"test": 1.0, "validation": 0.0}
    found = [(row["split"], row["label"], row["images"]) for row in label_scores_table(both).to_pylist()]
    assert found == [("test", "a", 1), ("test", "b", 1), ("validation", "a", 4), ("validation", "b", 0)]


def test_no_rows_give_empty_tables():
    nothing = schemas.CONFUSION.empty_table()
    assert scores_table(nothing, {}).num_rows == label_scores_table(nothing).num_rows == 0


def counted(rows):
    return pa.Table.from_pylist([dict(zip(COUNTED.names, row, strict=True)) for row in rows], schema=COUNTED)


COUNTS = [
    ("f", "test", "kiwi", "kiwi", 1, False, 2),
    ("f", "test", "kiwi", "kiwi", 2, True, 3),
    ("f", "test", "kiwi", "plum", 2, False, 1),
    ("f", "validation", "plum", "plum", 5, False, 1),
]


def test_confusion_and_groups_are_the_same_images():
    table = counted(COUNTS)
    assert confusion_of(table).schema == schemas.CONFUSION
    assert [tuple(row.values()) for row in confusion_of(table).to_pylist()] == [
        ("f", "test", "kiwi", "kiwi", 5),
        ("f", "test", "kiwi", "plum", 1),
        ("f", "validation", "plum", "plum", 1),
    ]
    assert groups_of(table) == {
        ("f", "test"): [(1, "kiwi", "kiwi", 2), (2, "kiwi", "kiwi", 3), (2, "kiwi", "plum", 1)],
        ("f", "validation"): [(5, "plum", "plum", 1)],
    }
    unknown = counted([(*row[:4], None, *row[5:]) for row in COUNTS])
    assert groups_of(unknown) == {}
    assert confusion_of(unknown) == confusion_of(table)


def test_scores_have_intervals_over_images_and_over_groups_where_there_are_any():
    table = counted(COUNTS)
    rows = scores_table(confusion_of(table), groups_of(table)).to_pylist()
    test = {row["metric"]: row for row in rows if row["split"] == "test"}
    assert test["accuracy"]["images"] == 6
    assert (test["accuracy"]["low"], test["accuracy"]["high"]) == wilson(5, 6)
    over = over_images([("kiwi", "kiwi", 5), ("kiwi", "plum", 1)])["macro_f1"]
    assert (test["macro_f1"]["low"], test["macro_f1"]["high"]) == over
    grouped = over_groups(groups_of(table)["f", "test"])["macro_f1"]
    assert (test["macro_f1"]["group_low"], test["macro_f1"]["group_high"]) == grouped
    alone = next(row for row in rows if row["split"] == "validation")
    assert (alone["group_low"], alone["group_high"]) == (None, None)


def test_recall_has_an_interval_where_the_label_has_images():
    rows = {row["label"]: row for row in label_scores_table(confusion(["a"] * 4, ["b", "a", "a", "a"])).to_pylist()}
    assert (rows["a"]["recall_low"], rows["a"]["recall_high"]) == wilson(3, 4)
    assert (rows["b"]["recall_low"], rows["b"]["recall_high"]) == (None, None)
