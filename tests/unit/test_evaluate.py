import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from fruits_pipeline import schemas
from fruits_pipeline.classify.evaluate import label_scores_table, scores_table


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
    table = scores_table(confusion(truth, predicted))
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
    table = scores_table(pa.concat_tables([right, wrong])).to_pylist()
    accuracy = {row["classifier"]: row["value"] for row in table if row["metric"] == "accuracy"}
    assert accuracy == {"logistic_regression": 0.0, "random_forest": 1.0}


def test_sides_are_judged_apart():
    right, wrong = confusion(["a", "b"], ["a", "b"], split="test"), confusion(["a"] * 4, ["b"] * 4, split="validation")
    both = pa.concat_tables([right, wrong])
    accuracy = {row["split"]: row["value"] for row in scores_table(both).to_pylist() if row["metric"] == "accuracy"}
    assert accuracy == {"test": 1.0, "validation": 0.0}
    found = [(row["split"], row["label"], row["images"]) for row in label_scores_table(both).to_pylist()]
    assert found == [("test", "a", 1), ("test", "b", 1), ("validation", "a", 4), ("validation", "b", 0)]


def test_no_rows_give_empty_tables():
    nothing = schemas.CONFUSION.empty_table()
    assert scores_table(nothing).num_rows == label_scores_table(nothing).num_rows == 0
