from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.classification import RandomForestClassificationModel
from pyspark.ml.feature import PCA
from pyspark.ml.functions import array_to_vector
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify import forest
from fruits_pipeline.classify.fit_classifiers import as_arrays
from fruits_pipeline.classify.inputs import check, counted
from fruits_pipeline.classify.predict import predictions
from fruits_pipeline.classify.sample import sampled
from fruits_pipeline.classify.train import train
from fruits_pipeline.errors import DatasetError, InputError
from fruits_pipeline.session import tables
from fruits_pipeline.session.tables import spark_schema
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.trained.arrays import ForestArrays
from reduced_rows import reduced_row

ROOT = "file:///source"
K = 4
LABELS = ("banana", "Apple Red 1", "kiwi")
SETTINGS = ClassifySettings(forest_trees=8, forest_depth=4, forest_components=3)
ONE = SETTINGS.model_copy(update={"classifier": ("logistic_regression",)})
LEARNT = sorted(LABELS)


def blobs(labels=LABELS, split="train", rows=20, seed=0):
    """Rows of REDUCED, one well separated blob for each label."""
    noise = np.random.default_rng(seed)
    centres = {label: 6 * np.eye(K)[LABELS.index(label) if label in LABELS else 3] for label in labels}
    return [
        (
            f"{ROOT}/{split}/{label}/{i:03d}.jpg",
            label,
            split,
            f"{split}-{label}-{i}-{seed}",
            (centre + noise.normal(size=K)).tolist(),
        )
        for label, centre in centres.items()
        for i in range(rows)
    ]


def unlabelled(rows):
    return [(path.replace("/source/", "/source/new/"), None, *rest) for path, _, *rest in rows]


def frame(spark, rows):
    named = [reduced_row(*row, source_path=row[0].removeprefix(f"{ROOT}/")) for row in rows]
    return spark.createDataFrame(named, spark_schema(schemas.REDUCED))


def fits(spark, rows, reduction, settings=ONE):
    """Fits on these rows as the room does: counted and checked before."""
    df = frame(spark, rows)
    found = counted(df)
    check(found)
    return list(train(df, reduction, settings, found.labels))


@pytest.fixture(scope="module")
def rows():
    return blobs() + blobs(split="test", rows=5, seed=1) + unlabelled(blobs(rows=2, seed=2))


@pytest.fixture(scope="module")
def reduction(spark, rows):
    """A reduction in shape: features_vector (K,) to pca_vector (K,)."""
    vectors = frame(spark, rows).select(array_to_vector("pca_features").alias("features_vector"))
    return PipelineModel([PCA(k=K, inputCol="features_vector", outputCol="pca_vector").fit(vectors)])


def by_arrays(fitted, folder):
    """The classifiers as arrays, the forest's from its saved model."""
    store, found = open_store(str(folder)), []
    for one in fitted:
        tables.save_model(store, one.model, f"models/{one.name}")
        found.append(as_arrays(store, one, LEARNT))
    return found


@pytest.fixture(scope="module")
def fitted(spark, rows, reduction):
    """Both classifiers, the forest in parts that are joined, as for many rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forest, "_ROWS_OF_FORESTS", 60)
        return list(train(frame(spark, rows), reduction, SETTINGS, LEARNT))


@pytest.fixture(scope="module")
def predictors(fitted, tmp_path_factory):
    return by_arrays(fitted, tmp_path_factory.mktemp("saved"))


def test_every_image_has_a_prediction_by_every_classifier(spark, rows, predictors):
    found = predictions(frame(spark, rows), predictors)
    assert found.columns == schemas.PREDICTIONS.names
    table = found.collect()
    assert sorted((row["path"], row["classifier"]) for row in table) == sorted(
        (path, name) for path, *_ in rows for name in ("random_forest", "logistic_regression")
    )
    assert all(1 / 3 <= row["confidence"] <= 1 for row in table)
    assert all(f"{ROOT}/{row['source_path']}" == row["path"] for row in table)


def test_separable_labels_are_learnt_by_name(spark, rows, predictors):
    truth = {path: path.split("/")[-2] for path, *_ in rows}
    table = predictions(frame(spark, rows), predictors).collect()
    right = {
        name: np.mean([row["prediction"] == truth[row["path"]] for row in table if row["classifier"] == name])
        for name in ("random_forest", "logistic_regression")
    }
    assert min(right.values()) > 0.95, right


def transformed(spark, rows, one):
    """Prediction and probabilities of each path by Spark's own stages."""
    vectors = frame(spark, rows).withColumn("pca_vector", array_to_vector("pca_features"))
    found = PipelineModel(one.model.stages[1:]).transform(vectors)
    return {row["path"]: (row["predicted_label"], max(row["probability"])) for row in found.collect()}


def test_predictions_are_those_of_sparks_own_models(spark, fitted, predictors):
    rows = blobs(rows=60, seed=5, labels=LABELS) + blobs(rows=200, seed=6, labels=("none of these",))
    some_empty = frame(spark, rows).repartition(3).where(F.col("label") != "kiwi").union(frame(spark, []))
    assert predictions(some_empty, predictors).count() == 2 * sum(row[1] != "kiwi" for row in rows)
    found = predictions(frame(spark, rows), predictors).collect()
    for one in fitted:
        expected = transformed(spark, rows, one)
        mine = {row["path"]: row for row in found if row["classifier"] == one.name}
        assert {path: row["prediction"] for path, row in mine.items()} == {p: e[0] for p, e in expected.items()}
        confidences = {path: row["confidence"] for path, row in mine.items()}
        if one.name == "random_forest":
            assert confidences == {path: e[1] for path, e in expected.items()}
        else:
            assert confidences == pytest.approx({path: e[1] for path, e in expected.items()}, rel=1e-12)


def test_saved_models_label_feature_vectors(spark, rows, reduction, fitted, tmp_path):
    features = frame(spark, rows).select("path", array_to_vector("pca_features").alias("features_vector"))
    for one in fitted:
        one.model.save(f"file://{tmp_path}/{one.name}")
        loaded = PipelineModel.load(f"file://{tmp_path}/{one.name}").transform(features)
        on_reduced = PipelineModel(one.model.stages[1:]).transform(reduction.transform(features))
        assert dict(loaded.select("path", "predicted_label").collect()) == dict(
            on_reduced.select("path", "predicted_label").collect()
        )


def test_shuffled_rows_give_equal_predictions(spark, rows, reduction, predictors, tmp_path, monkeypatch):
    shuffled = frame(spark, rows).repartition(7).orderBy(F.rand(3))
    monkeypatch.setattr(forest, "_ROWS_OF_FORESTS", 60)
    again = by_arrays(train(shuffled, reduction, SETTINGS, LEARNT), tmp_path)
    for first, second in zip(predictors, again, strict=True):
        one, two = (predictions(frame(spark, rows), [f]).orderBy("path").collect() for f in (first, second))
        assert [row["prediction"] for row in one] == [row["prediction"] for row in two]
        assert [row["confidence"] for row in one] == pytest.approx([row["confidence"] for row in two], abs=1e-6)


def test_only_the_classifier_asked_for_is_fitted(spark, rows, reduction):
    assert [one.name for one in fits(spark, rows, reduction)] == ["logistic_regression"]


def test_the_forest_has_all_its_trees_also_when_it_is_loaded(fitted, tmp_path):
    whole = fitted[0].model
    whole.save(f"file://{tmp_path}/forest")
    for model in (whole, PipelineModel.load(f"file://{tmp_path}/forest")):
        (stage,) = (stage for stage in model.stages if isinstance(stage, RandomForestClassificationModel))
        assert (len(stage.trees), stage.getNumTrees, stage.getOrDefault("numTrees")) == (8, 8, 8)
        trees = [tree.toDebugString.partition("\n")[2] for tree in stage.trees]
        assert trees != trees[:2] * 4  # as forests from one seed would have them


@pytest.mark.parametrize("rows_of_forests", [60, 61])
@pytest.mark.parametrize("trees", [1, 3, 6])
def test_forests_of_few_trees(spark, rows, reduction, trees, rows_of_forests, monkeypatch):
    monkeypatch.setattr(forest, "_ROWS_OF_FORESTS", rows_of_forests)
    few = SETTINGS.model_copy(update={"forest_trees": trees, "classifier": ("random_forest",)})
    (one,) = train(frame(spark, rows), reduction, few, LEARNT)
    assert len(one.classifier.trees) == trees


def test_a_forest_of_which_nodes_are_lost_or_doubled_is_refused(fitted, tmp_path):
    fitted[0].model.save(f"file://{tmp_path}/forest")
    nodes = pq.read_table(next(tmp_path.glob("forest/stages/*RandomForest*/data")))
    assert len(ForestArrays.of(nodes, 3, 8).roots) == 8
    for wrong in (nodes.slice(1), pa.concat_tables([nodes, nodes.slice(3, 1)])):
        with pytest.raises(DatasetError, match="expected each node of 8 trees once"):
            ForestArrays.of(wrong, 3, 8)
    with pytest.raises(DatasetError, match="expected each node of 9 trees once"):
        ForestArrays.of(nodes, 3, 9)


def drawn_of(spark, rows, most, seed=42, least=1):
    learnt = frame(spark, rows)
    found = sampled(learnt, len(rows), most, seed, least)
    assert found.columns == learnt.columns
    return sorted(row["source_path"] for row in found.collect())


def test_more_rows_than_the_forest_takes_are_drawn_by_label_and_content(spark):
    rows = blobs(rows=60, labels=("kiwi", "banana")) + blobs(rows=6, labels=("Apple Red 1",))
    found = drawn_of(spark, rows, 42)
    assert Counter(path.split("/")[1] for path in found) == {"kiwi": 20, "banana": 20, "Apple Red 1": 2}
    assert drawn_of(spark, rows[::-1], 42) == found
    assert drawn_of(spark, rows, 42, seed=1) != found
    assert len(drawn_of(spark, rows, 126)) == 126
    assert Counter(path.split("/")[1] for path in drawn_of(spark, rows, 4)) == {
        "kiwi": 1,
        "banana": 1,
        "Apple Red 1": 1,
    }


def test_rare_labels_are_drawn_to_their_least_rows(spark):
    rows = blobs(rows=60, labels=("kiwi",)) + blobs(rows=6, labels=("banana",)) + blobs(rows=2, labels=("Apple Red 1",))
    found = drawn_of(spark, rows, 34, least=5)
    assert Counter(path.split("/")[1] for path in found) == {"kiwi": 30, "banana": 5, "Apple Red 1": 2}


def test_the_forest_says_how_many_rows_it_was_grown_from(spark, rows, reduction):
    few = SETTINGS.model_copy(update={"forest_rows": 30})
    forest, regression = train(frame(spark, rows), reduction, few, LEARNT)
    assert (forest.training_rows, regression.training_rows) == (30, 60)


def test_many_rows_go_on_from_what_a_sample_has_learnt(spark, reduction):
    many = frame(spark, blobs(rows=120))

    def regression(iterations, start_rows):
        names = ("regression_iterations", "regression_start_rows", "classifier")
        values = (iterations, start_rows, ("logistic_regression",))
        (one,) = train(many, reduction, SETTINGS.model_copy(update=dict(zip(names, values, strict=True))), LEARNT)
        assert one.training_rows == 360
        return one.classifier.summary

    after_sample, without = regression(10, 150), regression(3, 241)
    assert (after_sample.totalIterations, without.totalIterations) == (3, 3)
    assert after_sample.objectiveHistory[0] < without.objectiveHistory[-1] / 2


def test_labels_are_indexed_by_alphabet(fitted):
    for one in fitted:
        assert list(one.model.stages[-1].getLabels()) == ["Apple Red 1", "banana", "kiwi"]


def test_forest_sees_the_leading_components_only(fitted):
    forest, regression = fitted
    assert forest.classifier.numFeatures == 3
    assert regression.classifier.numFeatures == K


def test_test_labels_without_training_images_are_told_and_predicted(spark, rows, reduction, caplog, tmp_path):
    more = rows + blobs(labels=("quince",), split="test", rows=3)
    found = predictions(frame(spark, more), by_arrays(fits(spark, more, reduction), tmp_path))
    assert "labels_without_training_images=['quince'] labels=1 images=3" in caplog.text
    told = found.where(F.col("label") == "quince").collect()
    assert len(told) == 3
    assert {row["prediction"] for row in told} <= set(LABELS)


def test_one_training_label(spark):
    rows = blobs(labels=("kiwi",)) + blobs(split="test")
    with pytest.raises(InputError, match="at least 2 labels, found only 'kiwi'"):
        check(counted(frame(spark, rows)))


def test_no_labelled_training_image(spark):
    with pytest.raises(InputError, match="expect labelled training images, found none"):
        check(counted(frame(spark, unlabelled(blobs()) + blobs(split="test"))))


def test_no_labelled_test_image(spark):
    rows = blobs() + unlabelled(blobs(split="test"))
    with pytest.raises(InputError, match=r"expect labelled test images .* under Test/, or use --train-split 0\.8"):
        check(counted(frame(spark, rows)))
