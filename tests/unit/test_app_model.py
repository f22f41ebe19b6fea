"""The pure parts of ``export``: folding, temperature, threshold, intervals, the card, and where it may write."""

import numpy as np
import pyarrow as pa
import pytest

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.classify.intervals import over_images
from fruits_pipeline.errors import InputError, ModelError, SettingsError
from fruits_pipeline.export.card import model_card
from fruits_pipeline.export.compare import Read, agreement_of, refuse_disagreement
from fruits_pipeline.export.confidence import calibration_error, temperature_of, threshold_of
from fruits_pipeline.export.describe import describe, refuse_lines
from fruits_pipeline.export.destination import check_destination, write_export
from fruits_pipeline.export.fit_confidence import check_confidence, fit_confidence
from fruits_pipeline.export.fold import head_of, without_temperature
from fruits_pipeline.export.intervals import side_scores
from fruits_pipeline.export.rows import Sides, components_of
from fruits_pipeline.export.show import summary
from fruits_pipeline.export.spec import Agreement, Checked, Confidence, Exported, Fitted, Speed, Trained, Unknown
from fruits_pipeline.schemas import REDUCED, TEST, VALIDATION
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.trained.arrays import RegressionArrays, softmax
from fruits_pipeline.trained.backbone import Backbone
from fruits_pipeline.trained.classifier import Classifier
from fruits_pipeline.trained.familiarity import STEPS, Familiarity
from fruits_pipeline.trained.models import TrainedModels
from fruits_pipeline.trained.projection import Projection

D, K, L = 12, 5, 4
LABELS = ("Apple", "Kiwi", 'Plum "blue"', "Äpfel")
MODEL = Model("mobilenetv2", "openvino", "f32", 96, D, (b"<xml/>", b"\0"))


def models(transform="sqrt", seed=0):
    noise = np.random.default_rng(seed)
    loadings = np.linalg.qr(noise.normal(size=(D, D)))[0][:, : K + 2]
    projection = Projection(transform, noise.uniform(0, 2, D), loadings, K, K + 2)
    regression = Classifier(
        "logistic_regression", RegressionArrays(noise.normal(size=(L, K)), noise.normal(size=L)), LABELS
    )
    recipe = Recipe(settings={"image_size": 96}, made_by={})
    return TrainedModels(Backbone(MODEL, recipe), projection, (regression,), Familiarity(STEPS), "d" * 64, "r")


def by_numpy(head, features):
    """What a head says, as the engines compute it."""
    values = features.astype(np.float32)
    if head.transform == "sqrt":
        values = np.sqrt(values)
    if head.transform == "unit":
        values = values * np.float32(head.length) / np.sqrt((values**2).sum(axis=1, keepdims=True))
    return softmax((values @ head.weights + head.bias).astype(np.float64))


@pytest.mark.parametrize("transform", ["none", "sqrt", "unit"])
def test_the_folded_head_says_what_the_trained_arrays_say(transform):
    trained = models(transform)
    features = np.random.default_rng(1).uniform(0, 6, (200, D)).astype(np.float32)
    expected = trained.judged(features).probabilities["logistic_regression"]
    found = by_numpy(head_of(trained, 1.0), features)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    warm = by_numpy(head_of(trained, 2.5), features)
    assert (warm.max(axis=1) < found.max(axis=1)).all()
    np.testing.assert_allclose(without_temperature(warm.astype(np.float32), 2.5), expected, atol=1e-4)


@pytest.mark.parametrize("truth", [0.4, 1.0, 3.0])
def test_the_temperature_is_found_by_which_labels_were_drawn(truth):
    noise = np.random.default_rng(2)
    margins = noise.normal(0, 4, (20_000, L))
    shares = softmax(margins / truth)
    labels = (noise.uniform(size=(len(shares), 1)) > np.cumsum(shares, axis=1)).sum(axis=1)
    found = temperature_of(margins, labels)
    assert found == pytest.approx(truth, rel=0.05)
    assert calibration_error(softmax(margins / found), labels) < 0.01


def test_the_temperature_is_that_of_the_least_loss():
    noise = np.random.default_rng(3)
    margins = noise.normal(0, 3, (300, L))
    labels = np.where(noise.uniform(size=300) < 0.8, margins.argmax(axis=1), noise.integers(0, L, 300))

    def loss(temperature):
        return -np.log(softmax(margins / temperature)[np.arange(300), labels]).mean()

    found = temperature_of(margins, labels)
    assert loss(found) <= min(loss(found * 1.01), loss(found / 1.01))


def test_confidence_is_left_as_it_is_where_hardly_an_image_is_wrong(caplog):
    validation = rows(VALIDATION, list(LABELS) * 60, 4)
    right = models().classifiers[0].probabilities(components_of(validation)).argmax(axis=1)
    named = validation.set_column(0, REDUCED.field("label"), pa.array([LABELS[place] for place in right]))
    with caplog.at_level("INFO"):
        fitted = fit_confidence(models(), Sides({VALIDATION: named, TEST: named.slice(0, 0)}, named), 0.95)
    assert (fitted.confidence.temperature, fitted.unknown.coverage) == (1, 1)
    assert "left as it is: 0 of 240 images" in caplog.text


def test_the_threshold_is_the_smallest_confidence_of_the_precision_and_ties_stay_together():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.7, 0.3], [0.6, 0.4]])
    found = threshold_of(probabilities, np.array([0, 0, 1, 0, 0]), 0.75)
    assert (found.confidence, found.precision, found.coverage) == (0.6, 0.8, 1.0)
    found = threshold_of(probabilities, np.array([0, 0, 1, 0, 1]), 0.75)
    assert (found.confidence, found.precision, found.coverage) == (0.7, 0.75, 0.8)
    found = threshold_of(probabilities, np.array([0, 0, 0, 1, 1]), 0.9)
    assert (found.confidence, found.precision, found.coverage) == (0.8, 1.0, 0.4)
    assert threshold_of(probabilities, np.ones(5, int), 0.5).confidence is None


def rows(side, labels, seed):
    noise = np.random.default_rng(seed)
    columns = {"split": [side] * len(labels), "label": labels, "pca_features": noise.normal(size=(len(labels), K))}
    columns["pca_features"] = columns["pca_features"].tolist()
    names = ["label", "split", "pca_features"]
    return pa.table({name: columns[name] for name in names}, pa.schema([REDUCED.field(name) for name in names]))


def test_confidence_is_fitted_on_validation_or_on_test_and_told(caplog):
    validation, test = rows(VALIDATION, list(LABELS) * 60, 4), rows(TEST, list(LABELS) * 10, 5)
    fitted = fit_confidence(models(), Sides({VALIDATION: validation, TEST: test}, test), 0.3)
    assert (fitted.confidence.split, fitted.confidence.images) == (VALIDATION, 240)
    assert caplog.text == ""
    for few in (0, 3):
        fitted = fit_confidence(models(), Sides({VALIDATION: validation.slice(0, few), TEST: test}, test), 0.3)
        assert fitted.confidence.split == TEST
    assert "the scores are of too" in caplog.text
    assert "rests on 40 images of test alone" in caplog.text


def test_the_written_models_own_confidence_is_checked_on_test_images():
    images = pa.concat_tables([rows(TEST, list(LABELS[:2]) * 4, 1), rows("train", ["Apple"], 2), rows(TEST, ["?"], 3)])
    sure = np.full((10, len(LABELS)), 0.1 / (len(LABELS) - 1), np.float32)
    sure[:, 0] = 0.9
    fitted = fit_confidence(models(), Sides({VALIDATION: images.slice(0, 0), TEST: images.slice(0, 8)}, images), 0.3)
    unknown = fitted.unknown.model_copy(update={"confidence": 0.85})
    found = check_confidence(images, sure, LABELS, fitted.model_copy(update={"unknown": unknown}))
    assert (found.images, found.reached, found.coverage) == (8, 0.5, 1.0)
    assert found.error_after == pytest.approx(0.4)
    strict = fitted.model_copy(update={"unknown": unknown.model_copy(update={"confidence": 0.95})})
    assert check_confidence(images, sure, LABELS, strict).coverage == 0
    assert check_confidence(images.slice(8), sure[8:], LABELS, fitted) is None


def test_without_held_out_images_there_is_nothing_to_fit_on(golden):
    none = rows(TEST, [], 0)
    with pytest.raises(InputError) as fault:
        fit_confidence(models(), Sides({VALIDATION: none, TEST: none}, none), 0.9)
    golden("export_nothing_held_out", str(fault.value))


def test_the_interval_of_macro_f1_holds_it_and_narrows_with_more_images():
    few = [("a", "a", 18), ("a", "b", 2), ("b", "b", 19), ("b", "a", 1)]
    many = [(label, prediction, 100 * images) for label, prediction, images in few]
    scores = side_scores("test", few)
    low, high = scores.macro_f1_interval
    assert low < scores.macro_f1 < high
    assert high - low > 5 * np.ptp(over_images(many)["macro_f1"])
    assert scores.accuracy == pytest.approx(37 / 40)
    assert side_scores("test", few) == scores


@pytest.mark.parametrize("images", [1, 2, 3])
def test_the_interval_of_few_images_of_many_labels_holds_the_score(images):
    low, high = over_images([(f"label {n}", f"label {n}", images) for n in range(100)])["macro_f1"]
    assert (low, high) == (1, 1)


@pytest.mark.parametrize(("same", "difference", "refused"), [(495, 0.03, False), (494, 0.01, True), (500, 0.031, True)])
def test_99_of_100_are_enough_with_much_the_same_confidence(same, difference, refused, caplog, golden):
    agreement = AGREEMENT.model_copy(update={"same": same, "mean_difference": difference})
    refuse_disagreement(agreement, force=True)
    assert ("because of --force" in caplog.text) == refused
    if not refused:
        refuse_disagreement(agreement, force=False)
        return
    with pytest.raises(ModelError) as fault:
        refuse_disagreement(agreement, force=False)
    golden(f"export_below_agreement_{same}", str(fault.value))


def test_agreement_counts_equal_labels_and_differences_of_confidence():
    read = Read(pa.table({"path": ["a", "b"], "split": [TEST, "train"]}), {"missing": 1})
    said = {"a": ("Apple", 0.75), "b": ("Apple", 0.5)}
    found = agreement_of(read, np.array([[0.8, 0.2], [0.4, 0.6]]), LABELS[:2], said)
    assert (found.images, found.held_out, found.same, found.share) == (2, 1, 1, 0.5)
    assert found.mean_difference == pytest.approx(0.075)
    assert found.largest_difference == pytest.approx(0.1)


AGREEMENT = Agreement(
    images=500, held_out=480, same=499, mean_difference=0.0071, largest_difference=0.25, left_out={"missing": 3}
)
CONFIDENCE = {"error_before": 0.02, "error_after": 0.01}
TRAINED = Trained(
    source="/photos/of fruit",
    sides={"train": 900, "validation": 0, "test": 480, "predicted_only": 2},
    digest="d" * 64,
    backbone="mobilenetv2",
    tensors_sha256="e" * 64,
    licence="the package of these weights states MIT",
    features_by="openvino f32",
    transform="sqrt",
    components=100,
)


def exported(form, side, confidence):
    checked = None
    if side == VALIDATION:
        checked = Checked(images=480, reached=0.97, coverage=0.9 if confidence else 1, **CONFIDENCE)
    unknown = Unknown(precision=0.95, confidence=confidence, reached=0.96 if confidence else 0, coverage=0.93)
    fitted = Fitted(
        confidence=Confidence(split=side, images=480, labels=3, temperature=1.5, **CONFIDENCE), unknown=unknown
    )
    spec = describe(form, models(), TRAINED, fitted)
    spec = spec.model_copy(update={"versions": {"fruits-pipeline": "0.1.0", "tensorflow-cpu": "2.21.0"}})
    file = "model.xml" if form == "openvino" else f"model.{form}"
    return Exported(
        spec=spec,
        agreement=AGREEMENT,
        checked=checked,
        speed=Speed(package="a-runtime", version="1.2", milliseconds=12.34),
        scores=(side_scores(TEST, [("Apple", "Apple", 95), ("Kiwi", "Kiwi", 90), ("Kiwi", "Apple", 5)]),),
        size_bytes=2_800_000,
        sha256={file: "a" * 64, "labels.txt": "b" * 64},
        made="2026-11-26",
    )


@pytest.mark.parametrize(
    ("form", "side", "confidence"),
    [("tflite", TEST, 0.7321), ("onnx", VALIDATION, None), ("openvino", VALIDATION, 0.7321)],
)
def test_the_card_and_the_summary(golden, form, side, confidence):
    told = exported(form, side, confidence)
    golden(f"export_card_{form}", f"{model_card(told)}\n{summary(told, 'app')}")


@pytest.mark.parametrize("label", ["two\nlines", "two\rlines"])
def test_a_label_of_two_lines_is_refused(label):
    refuse_lines(LABELS)
    with pytest.raises(InputError, match=r"expected labels of one line each, for labels.txt, found 'two\\[nr]lines'"):
        refuse_lines((*LABELS, label))


def test_a_destination_is_checked_and_files_of_others_stay(tmp_path):
    store = open_store(str(tmp_path / "app"))
    check_destination(store, str(tmp_path / "output"), overwrite=False)
    with pytest.raises(SettingsError, match="outside of the output of --model"):
        check_destination(open_store(str(tmp_path / "output/app")), str(tmp_path / "output"), overwrite=True)
    write_export(store, {"model.onnx": b"1", "reference/01.png": b"2", "model.json": b'{"spec": {}}'}, "card")
    store.write("mine.onnx", b"3")
    with pytest.raises(SettingsError, match="expected an empty folder"):
        check_destination(store, str(tmp_path / "output"), overwrite=False)
    check_destination(store, str(tmp_path / "output"), overwrite=True)
    write_export(store, {"model.tflite": b"4"}, "another card")
    assert {found.key for found in store.objects()} == {"model.tflite", "model-card.md", "mine.onnx"}
    assert store.read("model-card.md") == b"another card"


@pytest.mark.parametrize("content", [None, b"[]", b"no json", b'{"name": "of another program"}'])
def test_files_that_are_no_export_are_never_replaced(tmp_path, content):
    store = open_store(str(tmp_path / "app"))
    store.write("model.tflite", b"of another program")
    if content is not None:
        store.write("model.json", content)
    with pytest.raises(SettingsError, match=r"that of an earlier export, found 'model\.(tflite|json)'"):
        check_destination(store, str(tmp_path / "output"), overwrite=True)


def test_an_export_that_was_ended_half_way_can_be_replaced(tmp_path, monkeypatch):
    store = open_store(str(tmp_path / "app"))
    written = []
    monkeypatch.setattr(type(store), "write", lambda _, key, __: written.append(key))
    write_export(store, {"model.onnx": b"1", "model.json": b"{}"}, "card")
    assert written == ["model.json", "model.onnx", "model-card.md"]
    monkeypatch.undo()
    store.write("model.json", b'{"spec": {}}')
    check_destination(store, str(tmp_path / "output"), overwrite=False)
