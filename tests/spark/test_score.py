"""``score``: new images by the models of a finished run."""

import shutil

import numpy as np
import pandas as pd
import pytest
from feature_jobs import mean_colour_model, picture
from in_process import SIZE, commands
from small_source import LABELS, add_images

from fruits_pipeline.score import drift
from fruits_pipeline.score import score_images as module
from fruits_pipeline.state.layout import portable_file
from outputs import contents, record, table


@pytest.fixture
def new(tmp_path):
    """Images that the models have not seen, of which one label is a new one, and one image of the training."""
    folder = add_images(tmp_path / "new", 12, first=8, splits=("shop",)) / "shop"
    shutil.copytree(folder / "Plum", folder / "Damson")
    return folder


@pytest.fixture
def score(command, finished, new, tmp_path):
    """Scores the new images into an output of its own."""

    def run(*more, output=tmp_path / "scored", model=finished):
        words = ("--model", model, "--output-uri", output, "--wave-images", "20")
        source = () if "--data-source" in more else ("--data-source", new)
        return command("score", *words, *source, *more)

    return run


def predictions(output, root):
    found = table(output, "predictions", root)
    return found.set_index(["path", "classifier"]).sort_index()


def test_new_images_are_predicted_and_judged(score, new, images, tmp_path):
    shutil.copy(images / "Training/Apple/0.png", new / "Apple/learnt.png")
    (new / "unlabelled.png").write_bytes((new / "Kiwi/9.png").read_bytes())
    (new / "bad.png").write_text("no image")
    ended = score("--max-reject-share", "0.5")
    assert ended.code == 0, ended.err
    output = tmp_path / "scored"
    found = record(output)
    assert found["counts"]["read"] == 50
    assert found["counts"]["reject_reasons"] == {"not_an_image": 1}
    facts = found["rooms"]["score"]
    assert (facts["images"], facts["judged"], facts["learnt"], facts["predictions"]) == (50, 48, 1, 50)
    assert "scored      50 images: judged 48, unfamiliar " in ended.out
    rows = table(output, "predictions", new)
    assert rows["learnt"].sum() == 1
    assert rows[rows["path"] == "unlabelled.png"]["label"].isna().all()
    known = rows[rows["label"].isin(["Apple", "Kiwi", "Plum"])]
    assert (known["prediction"] == known["label"]).mean() > 0.9
    assert facts["scores"]["logistic_regression"]["accuracy"] == pytest.approx(
        (rows["prediction"] == rows["label"])[rows["label"].notna() & ~rows["learnt"]].mean()
    )
    assert (rows["confidence"] >= rows["second_confidence"]).all()
    assert (rows["second_confidence"] >= rows["third_confidence"]).all()
    guesses = rows[["prediction", "second", "third"]].to_numpy()
    assert all(sorted(row) == ["Apple", "Kiwi", "Plum"] for row in guesses)
    confusion = pd.read_parquet(output / "evaluation/confusion")
    assert confusion["images"].sum() == 48
    assert set(confusion["label"]) == {"Apple", "Kiwi", "Plum", "Damson"}
    assert facts["unlearnt"] == {"labels": 1, "images": 12, "names": ["Damson"]}
    assert "labels_not_learnt=['Damson'] labels=1 images=12" in ended.err
    assert "not learnt  1 label of scored images (12 images): 'Damson'" in ended.out


@pytest.fixture
def few_are_enough(monkeypatch):
    monkeypatch.setattr(drift, "FEWEST", 20)


def alike(folder):
    """Images of the same shades as those of the training, none of them the same."""
    for label, shade in LABELS.items():
        for n in range(16):
            colour = tuple((part + place * n // 2 + (-1) ** n) % 256 for place, part in enumerate(shade, 1))
            file = folder / label / f"{n}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture(colour))
    return folder


@pytest.mark.usefixtures("few_are_enough")
def test_new_images_that_look_alike_are_no_drift(score, tmp_path):
    ended = score("--max-drift", "0.6", "--data-source", alike(tmp_path / "alike"))
    assert ended.code == 0, ended.err
    found = record(tmp_path / "scored")["rooms"]["score"]["drift"]
    assert (found["verdict"], found["looks"]["new"], found["rejected_share"]) == ("none", 24, 0)
    shares = predictions(tmp_path / "scored", tmp_path / "alike")["prediction"].value_counts(normalize=True)
    assert {one["label"]: one["predicted"] for one in found["labels"]} == pytest.approx(shares.to_dict())
    assert found["label_shift"] == pytest.approx((shares - 1 / 3).abs().sum() / 2)
    assert "drift       none (AUC " in ended.out


@pytest.mark.usefixtures("few_are_enough")
def test_images_of_other_shades_are_drift_and_end_with_3_where_that_is_asked(score, new, tmp_path):
    ended = score()
    assert ended.code == 0, ended.err
    assert "drift verdict=drift auc=" in ended.err
    assert "drift       new images differ (AUC " in ended.out
    ended = score("--max-drift", "0.6")
    assert (ended.code, "AUC below 0.6 (--max-drift), found " in ended.message) == (3, True)
    found = record(tmp_path / "scored")
    assert (found["exit_code"], found["rooms"]["score"]["drift"]["verdict"]) == (3, "drift")
    assert len(predictions(tmp_path / "scored", new)) == 48
    medians = found["rooms"]["score"]["drift"]["figures"]
    features = pd.read_parquet(tmp_path / "scored" / "features")
    assert list(medians) == ["brightness", "entropy", "sharpness"]
    assert features["brightness"].min() <= medians["brightness"]["new"] <= features["brightness"].max()
    assert medians["brightness"]["trained"] != medians["brightness"]["new"]


def test_few_images_are_not_judged_and_that_is_told(score, tmp_path):
    ended = score("--max-drift", "0.6")
    assert ended.code == 0
    assert record(tmp_path / "scored")["rooms"]["score"]["drift"]["verdict"] == "too few images"
    assert "--max-drift=0.6 judged nothing: there are too few images of the same labels" in ended.err


@pytest.mark.usefixtures("few_are_enough")
def test_it_says_what_the_run_said_of_its_own_images(command, finished, images, tmp_path):
    output = tmp_path / "again"
    ended = command("score", "--model", finished, "--data-source", images, "--output-uri", output)
    assert ended.code == 0, ended.err
    ours, theirs = predictions(output, images), predictions(finished, images)
    assert ours["prediction"].equals(theirs["prediction"])
    np.testing.assert_allclose(ours["confidence"], theirs["confidence"], atol=1e-4)
    # Its test images have the bytes of its training images.
    assert ours["learnt"].all()
    assert (record(output)["rooms"]["score"]["judged"], record(output)["rooms"]["score"]["scores"]) == (0, {})
    assert "images=48 were learnt from, and are predicted only" in ended.err
    # Nor compared: they would hide what the others are.
    assert record(output)["rooms"]["score"]["drift"]["looks"] is None


def test_where_some_have_a_split_the_others_are_predicted_only(score, new, tmp_path):
    (new / "Test").mkdir()
    (new / "Kiwi").rename(new / "Test/Kiwi")
    assert score().code == 0
    assert record(tmp_path / "scored")["rooms"]["score"]["judged"] == 12


def test_without_labels_there_are_predictions_and_no_scores(score, tmp_path):
    ended = score("--unlabelled", "*")
    assert ended.code == 0, ended.err
    facts = record(tmp_path / "scored")["rooms"]["score"]
    assert (facts["judged"], facts["scores"], facts["images"]) == (0, {}, 48)
    assert pd.read_parquet(tmp_path / "scored/evaluation/scores").empty


def test_what_was_stopped_half_way_resumes_to_the_same(score, new, tmp_path, monkeypatch):
    assert score(output=tmp_path / "whole").code == 0
    with monkeypatch.context() as patch:
        patch.setattr(module, "evaluated", lambda *_: 1 / 0)
        assert score().code == 70
    output = tmp_path / "scored"
    before = {name: time for name, time in contents(output).items() if name.startswith("features/")}
    ended = score()
    assert ended.code == 0, ended.err
    assert "done=3 to_do=0" in ended.err
    assert {name: time for name, time in contents(output).items() if name.startswith("features/")} == before
    assert predictions(output, new).equals(predictions(tmp_path / "whole", new))


def test_the_same_again_keeps_all_and_more_images_are_followed(score, new, tmp_path):
    assert score().code == 0
    ended = score()
    assert (ended.code, "keep step=score" in ended.err) == (0, True)
    add_images(tmp_path / "new", 1, first=40, splits=("shop",))
    ended = score()
    assert ended.code == 0, ended.err
    assert "repeat step=score because the images or labels changed since the last run" in ended.err
    assert len(table(tmp_path / "scored", "predictions", new)) == 51


def test_other_models_are_refused_and_replace_on_request(command, score, finished, tmp_path):
    assert score().code == 0
    other = tmp_path / "other"
    assert command("reduce", "--features-uri", finished, "--output-uri", other, "--components", "1").code == 0
    assert command("classify", "--output-uri", other).code == 0
    ended = score(model=other)
    assert (ended.code, "score: models: " in ended.message) == (5, True)
    assert score("--overwrite", model=other).code == 0
    assert record(tmp_path / "scored")["rooms"]["score"]["models"] == f"file://{other}"


def test_features_of_another_backbone_are_never_judged(score, new, tmp_path, spark, capfd):
    """Weights are no setting, so that only the backbone itself tells."""
    other = mean_colour_model(tmp_path, SIZE, white=5)
    with commands(spark, other, capfd) as run_other:
        assert run_other("extract", "--data-source", new, "--output-uri", tmp_path / "scored").code == 0
    for more in ((), ("--overwrite",)):
        ended = score(*more)
        assert (ended.code, "expected features by the network of the models" in ended.message) == (5, True)


def test_one_changed_byte_of_the_models_ends_with_5_before_anything_is_written(score, finished, tmp_path):
    file = finished / portable_file("reduce")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    ended = score()
    assert (ended.code, "it was changed since it was trained" in ended.message) == (5, True)
    assert not (tmp_path / "scored/manifest").exists()


def test_an_output_of_a_run_is_no_place_for_scores(command, finished, new):
    ended = command("score", "--model", finished, "--data-source", new, "--output-uri", finished, "--overwrite")
    assert ended.code == 5
    assert "expected no results of 'reduce' under" in ended.message


def test_scores_are_no_place_for_a_run(command, score, new, tmp_path):
    assert score().code == 0
    for words in (("run", "--data-source", new), ("reduce",)):
        ended = command(*words, "--output-uri", tmp_path / "scored", "--overwrite")
        assert (ended.code, "expected no results of 'score' under" in ended.message) == (5, True)
    verified = command("verify", "--output-uri", tmp_path / "scored", "--deep")
    assert verified.code == 0, verified.out
