"""Trained models as arrays: saved, loaded, and what they say."""

import numpy as np
import pytest

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.layout import backbone_file, portable_file
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.trained.arrays import ForestArrays, RegressionArrays
from fruits_pipeline.trained.backbone import keep_backbone, kept_backbone, loaded_backbone
from fruits_pipeline.trained.classifier import Classifier, loaded_classifier, save_classifier
from fruits_pipeline.trained.familiarity import STEPS, Familiarity, loaded_familiarity, save_familiarity
from fruits_pipeline.trained.projection import Projection, loaded_projection, save_projection

NOISE = np.random.default_rng(0)
LABELS = ("Apple", "Kiwi ", 'Plum, "blue"')
REGRESSION = RegressionArrays(NOISE.normal(size=(3, 2)), NOISE.normal(size=3))
# One split by the second component, and a tree that is a leaf.
FOREST = ForestArrays(
    roots=np.array([0, 3]),
    component=np.array([1, 0, 0, 0], np.int32),
    threshold=np.array([0.5, np.inf, np.inf, np.inf]),
    left=np.array([1, 1, 2, 3], np.int32),
    right=np.array([2, 1, 2, 3], np.int32),
    first=np.array([0, 0, 1, 2, 4]),
    label=np.array([0, 2, 0, 1], np.int32),
    share=np.array([1.0, 1.0, 0.25, 0.75]),
    labels=3,
)
MODEL = Model("mobilenetv2", "openvino", "f32", 32, 3, (b"<xml/>", b"\0\1"))
RECIPE = Recipe(settings={"image_size": 32}, made_by={"model_sha256": MODEL.sha256})


def packed_backbone(store, model):
    """The content of the file of another model, kept for the recipe of ``MODEL``."""
    other = RECIPE.model_copy(update={"settings": {"image_size": 64}})
    keep_backbone(store, model, other)
    content = store.read(backbone_file(other.digest))
    keep_backbone(store, MODEL, RECIPE)
    return content


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


@pytest.mark.parametrize("arrays", [REGRESSION, FOREST], ids=["logistic_regression", "random_forest"])
def test_a_classifier_says_the_same_after_it_was_saved(store, arrays):
    name = "random_forest" if arrays is FOREST else "logistic_regression"
    before = Classifier(name, arrays, LABELS)
    save_classifier(store, before)
    after = loaded_classifier(name, store.read(portable_file(name)))
    components = NOISE.normal(size=(600, 2)).astype(np.float32)
    assert after.labels == LABELS
    assert (after.probabilities(components) == before.probabilities(components)).all()
    assert after.probabilities(components[:0]).shape == (0, 3)


def test_the_forest_of_these_tests_votes_by_its_leaves():
    found = Classifier("random_forest", FOREST, LABELS).probabilities(np.array([[0, 0], [0, 1]], np.float32))
    np.testing.assert_allclose(found, [[0.625, 0.375, 0], [0.125, 0.375, 0.5]])


def test_a_classifier_of_another_kind_is_refused(store):
    save_classifier(store, Classifier("logistic_regression", REGRESSION, LABELS))
    with pytest.raises(DatasetError, match="expected a trained random_forest, found other arrays: 'roots'"):
        loaded_classifier("random_forest", store.read(portable_file("logistic_regression")))


@pytest.mark.parametrize(("k", "m"), [(2, 3), (3, 2)])
@pytest.mark.parametrize("transform", ["none", "sqrt", "unit"])
def test_a_projection_gives_the_same_after_it_was_saved(store, transform, k, m):
    before = Projection(transform, NOISE.normal(size=4), np.linalg.qr(NOISE.normal(size=(4, 4)))[0][:, :3], k, m)
    save_projection(store, before)
    after = loaded_projection(store.read(portable_file("reduce")))
    features = NOISE.uniform(0, 6, (50, 4)).astype(np.float32)
    for one, other in zip(before.applied(features), after.applied(features), strict=True):
        assert (one == other).all()
    components, residuals = after.applied(features)
    assert components.shape == (50, k)
    assert ((residuals > 0) & (residuals < 1)).all()


def test_the_mean_itself_has_no_residual():
    components, residuals = Projection("none", np.ones(2), np.eye(2), 2, 1).applied(np.ones((1, 2), np.float32))
    assert (components.tolist(), residuals.tolist()) == ([[0, 0]], [0])


def test_familiarity_falls_with_the_residual_and_ends_at_99_of_100(store):
    save_familiarity(store, Familiarity(STEPS / 2))
    familiarity = loaded_familiarity(store.read(portable_file("familiarity")))
    residuals = np.array([0.1, 0.4949, 0.4951, 0.7])
    np.testing.assert_allclose(familiarity.of(residuals), [0.8, 0.0102, 0.0098, 0], atol=1e-6)
    assert familiarity.is_unfamiliar(residuals).tolist() == [False, False, True, True]


def test_a_backbone_is_kept_by_its_recipe_and_replaces_the_one_before(store):
    other = Recipe(settings={"image_size": 48}, made_by=RECIPE.made_by)
    keep_backbone(store, MODEL, other)
    keep_backbone(store, MODEL, RECIPE)
    keep_backbone(store, MODEL, RECIPE)
    assert [found.key for found in store.objects()] == [backbone_file(RECIPE.digest)]
    with pytest.raises(DatasetError, match=r"its file was changed; delete it"):
        loaded_backbone(packed_backbone(store, Model("mobilenetv2", "openvino", "f32", 32, 3, (b"<xml/>", b"\0\2"))))
    found = loaded_backbone(kept_backbone(store, RECIPE))
    assert (found.model, found.recipe) == (MODEL, RECIPE)
    with pytest.raises(DatasetError, match=r"expected the backbone of the features at .*, found none"):
        kept_backbone(store, other)


@pytest.mark.parametrize("load", [loaded_backbone, loaded_projection, loaded_familiarity])
@pytest.mark.parametrize("content", [b"no Parquet", None], ids=["bytes", "others"])
def test_what_is_no_trained_model_is_refused(store, load, content):
    if content is None:
        save_classifier(store, Classifier("logistic_regression", REGRESSION, LABELS))
        content = store.read(portable_file("logistic_regression"))
    with pytest.raises(DatasetError, match=r"^expected "):
        load(content)
