"""Who learns, who is judged and who is only predicted, by whole commands."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from feature_jobs import picture
from in_process import table_of
from PIL import Image

from fruits_pipeline.demo.draw import draw
from fruits_pipeline.demo.fruit import FRUITS
from outputs import record, table

COLOURS = {"Apple": (200, 20, 20), "Kiwi": (20, 200, 20), "Plum": (20, 20, 200)}
COUNTS = {"Training": 8, "Validation": 4, "Test": 3}
FOREST = ("--classifier", "random_forest")


def paint(folder, label, numbers):
    """Images of one label, each of its own shade."""
    red, green, blue = COLOURS.get(label, (120, 120, 20))
    folder.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        (folder / f"{n}.png").write_bytes(picture(((red + 3 * n) % 256, (green + 5 * n) % 256, (blue + 7 * n) % 256)))


@pytest.fixture
def images(tmp_path):
    """Three labels on three sides: 24 images for training, 12 for validation, 9 for testing."""
    first = 0
    for side, count in COUNTS.items():
        for label in COLOURS:
            paint(tmp_path / "images" / side / label, label, range(first, first + count))
        first += count
    return tmp_path / "images"


def rows_of(images, **sides):
    """A table's rows: label by folder, split by the first folder; ``sides`` are folders with their split."""
    return {
        str(path.relative_to(images.parent)): (path.parent.name, sides[path.relative_to(images).parts[0]])
        for path in sorted(images.rglob("*.png"))
        if path.relative_to(images).parts[0] in sides
    }


THREE = {"Training": "train", "Validation": "validation", "Test": "test"}


def by_table(images, **sides):
    return table_of(images.with_name(f"{'-'.join(sides)}.csv"), rows_of(images, **sides))


def run(command, source, output, *more):
    ended = command("run", "--data-source", source, "--output-uri", output, *more)
    assert ended.code == 0, ended.err
    return ended


def line(ended, name):
    return next(one[12:] for one in ended.out.splitlines() if one.startswith(f"{name} "))


def confidences(output, images, side="Test"):
    found = table(output, "predictions", images)
    return found[found["path"].str.startswith(side)][["path", "classifier", "prediction", "confidence"]].to_numpy()


def test_validation_is_judged_apart_and_nothing_learns_from_it(command, images, tmp_path):
    with_it, without = tmp_path / "with", tmp_path / "without"
    ended = run(command, by_table(images, **THREE), with_it, *FOREST)
    run(command, by_table(images, Training="train", Test="test"), without, *FOREST)
    for dataset in ("reduced", "predictions"):
        assert set(table(with_it, dataset, images)["split"]) == {"train", "validation", "test"}
    confusion = pd.read_parquet(with_it / "evaluation/confusion")
    assert confusion.groupby("split")["images"].sum().to_dict() == {"test": 9, "validation": 12}
    scores = pd.read_parquet(with_it / "evaluation/scores")
    assert scores.groupby("split")["metric"].nunique().to_dict() == {"test": 4, "validation": 4}
    labels = pd.read_parquet(with_it / "evaluation/label_scores")
    assert labels.groupby("split")["images"].sum().to_dict() == {"test": 9, "validation": 12}
    assert (confidences(with_it, images) == confidences(without, images)).all()
    assert line(ended, "used for") == "train 24, validation 12, test 9, predicted only 0 (by folder or table)"
    assert " random_forest on test," in line(ended, "accuracy")


def test_validation_is_told_where_there_is_no_test_side(command, images, tmp_path):
    ended = run(command, by_table(images, Training="train", Validation="validation"), tmp_path / "output")
    assert " logistic_regression on validation," in line(ended, "accuracy")
    assert record(tmp_path / "output")["rooms"]["classify"]["judged"] == "validation"
    assert set(pd.read_parquet(tmp_path / "output/evaluation/mistakes")["split"]) <= {"validation"}


def test_images_outside_of_split_folders_are_predicted_only(command, images, tmp_path):
    (images / "Validation").rename(images / "New")
    ended = run(command, images, tmp_path / "output")
    assert "images_with_split=33 images_without=12" in ended.err
    for dataset in ("reduced", "predictions"):
        found = table(tmp_path / "output", dataset, images)
        assert found[found["split"].isna()]["path"].str.startswith("New/").sum() == 12
        assert found["split"].value_counts().to_dict() == {"train": 24, "test": 9}
    assert record(tmp_path / "output")["rooms"]["reduce"]["training_rows"] == 24
    assert pd.read_parquet(tmp_path / "output/evaluation/confusion")["images"].sum() == 9
    assert line(ended, "used for") == "train 24, validation 0, test 9, predicted only 12 (by folder or table)"


def test_a_fraction_splits_all_images_by_content_and_says_so(command, images, tmp_path):
    ended = run(command, images, tmp_path / "output", "--train-split", "0.6")
    assert "ignored_splits=45" in ended.err
    found = table(tmp_path / "output", "reduced", images)
    assert set(found["split"]) == {"train", "test"}
    assert found[found["path"].str.startswith("Test")]["split"].nunique() == 2
    assert line(ended, "used for").endswith("(by content)")


def test_the_splits_of_a_labels_table_decide(command, images, tmp_path):
    run(command, images, tmp_path / "output")
    labels = table_of(tmp_path / "labels.csv", rows_of(images, Validation="train", Test="test"))
    words = ("--features-uri", tmp_path / "output", "--labels", labels)
    ended = command("reduce", "--output-uri", tmp_path / "other", *words)
    assert ended.code == 0, ended.err
    assert "images_named=21, images_not_named=24 (they have no label), rows_of_no_image=0" in ended.err
    assert line(ended, "used for") == "train 12, validation 0, test 9, predicted only 24 (by folder or table)"
    ended = command("classify", "--output-uri", tmp_path / "other")
    assert ended.code == 0, ended.err
    assert line(ended, "used for") == "train 12, validation 0, test 9, predicted only 24"


def test_labels_of_which_none_can_be_learnt_end_with_3_before_any_fit(command, images, tmp_path, golden):
    shutil.rmtree(images / "Validation")
    for side, suffix in (("Training", 1), ("Test", 11)):
        for label in COLOURS:
            (images / side / label).rename(images / side / "moved")
            (images / side / label).mkdir()
            (images / side / "moved").rename(images / side / label / f"{label} {suffix}")
    words = ("--data-source", images, "--output-uri", tmp_path / "output")
    ended = command("run", *words)
    assert ended.code == 3
    golden("exit_3_no_label_learnt", ended.message)
    assert "fitted classifier" not in ended.err
    assert (tmp_path / "output/reduced").is_dir()
    assert not (tmp_path / "output/predictions").exists()
    ended = command("run", *words, "--label-folder", "first")
    assert ended.code == 0, ended.err
    assert record(tmp_path / "output")["change"]["computed"] == 0
    assert set(table(tmp_path / "output", "predictions", images)["label"]) == set(COLOURS)


def test_labels_that_cannot_be_learnt_or_are_never_judged_are_listed(command, images, tmp_path):
    for n in range(12):
        paint(images / "Test" / f"Pear {n:02d}", "Pear", [n])
    paint(images / "Training/Quince", "Quince", range(2))
    shutil.rmtree(images / "Validation")
    ended = run(command, images, tmp_path / "output")
    facts = record(tmp_path / "output")["rooms"]["classify"]
    first = [f"Pear {n:02d}" for n in range(10)]
    assert facts["unlearnt"] == {"labels": 12, "images": 12, "names": first}
    assert facts["unjudged"] == {"labels": 1, "images": 2, "names": ["Quince"]}
    named = ", ".join(map(repr, first))
    for told, name in ((f"[{named}, ...]", "labels_without_training_images"), ("['Quince']", "labels_never_judged")):
        assert f"{name}={told}" in ended.err
    assert line(ended, "not learnt") == f"12 labels of test or validation images (12 images): {named}, ..."
    assert line(ended, "not judged") == "1 label of training images (2 images): 'Quince'"


def test_unlabelled_images_train_nothing_where_others_have_a_label(command, images, tmp_path):
    shutil.rmtree(images / "Validation")
    run(command, images, tmp_path / "without", *FOREST)
    for n in range(10):
        (images / f"Training/{n}.png").write_bytes(picture((n, 255 - 20 * n, 25 * n)))
    ended = run(command, images, tmp_path / "with", *FOREST)
    assert record(tmp_path / "with")["rooms"]["reduce"]["training_rows"] == 24
    assert (confidences(tmp_path / "with", images) == confidences(tmp_path / "without", images)).all()
    assert line(ended, "used for") == "train 24, validation 0, test 9, predicted only 10 (by folder or table)"


def test_components_are_fitted_where_no_image_has_a_label(command, images, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for n, path in enumerate(sorted(images.rglob("*.png"))):
        shutil.copy(path, flat / f"{n}.png")
    assert command("extract", "--data-source", flat, "--output-uri", tmp_path / "output").code == 0
    ended = command("reduce", "--output-uri", tmp_path / "output")
    assert ended.code == 0, ended.err
    rows = record(tmp_path / "output")["rooms"]["reduce"]["training_rows"]
    assert line(ended, "used for") == f"train {rows}, validation 0, test {45 - rows}, predicted only 0 (by content)"


SIDES = {"train": ("train", 6), "val": ("validation", 2), "test": ("test", 3)}
# Labels of the shop, by their folders: some stand two folders deep below the split, some three.
SHOP = {"Fruit/Apple": "Apple", "Fruit/Kiwi": "Kiwi", "Vegetables/Root/Carrot": "Carrot", "Fruit/Citrus/Lemon": "Lemon"}


@pytest.fixture
def shop(tmp_path):
    """The layout of a shop's photographs, drawn; gives each path below the folder its label and its side."""
    expected = {}
    for number, (folder, label) in enumerate(SHOP.items()):
        fruit = sorted(FRUITS.items())[number][1]
        for side, (split, count) in SIDES.items():
            place = tmp_path / "shop" / side / folder
            place.mkdir(parents=True)
            for n in range(count):
                rng = np.random.default_rng([number, len(expected)])
                Image.fromarray(draw(fruit, rng)).save(place / f"{label} {n}.jpg")
                expected[f"{side}/{folder}/{label} {n}.jpg"] = (label, split)
    return expected


@pytest.mark.parametrize("kind", ["folder", "table"])
def test_no_image_of_a_shop_is_on_a_wrong_side_or_has_a_wrong_label(command, shop, tmp_path, kind):
    root = tmp_path / "shop"
    source = root if kind == "folder" else table_of(root / "shop.csv", shop)
    ended = run(command, source, tmp_path / "output")
    spelled = root if kind == "folder" else ""
    for dataset in ("manifest", "reduced", "predictions"):
        found = table(tmp_path / "output", dataset, root)
        found = found[found["path"] != "shop.csv"]
        told = zip(found["label"], found["split"], strict=True)
        assert dict(zip(found["path"], told, strict=True)) == shop
        assert (found["source_path"] == [str(Path(spelled, path)) for path in found["path"]]).all()
    judged = pd.read_parquet(tmp_path / "output/evaluation/confusion").groupby(["classifier", "split"])["images"].sum()
    assert set(judged.items()) == {
        (("logistic_regression", "test"), 12),
        (("logistic_regression", "validation"), 8),
    }
    assert line(ended, "used for") == "train 24, validation 8, test 12, predicted only 0 (by folder or table)"
