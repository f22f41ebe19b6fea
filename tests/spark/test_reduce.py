import numpy as np
import pytest
from pyspark.errors import PythonException
from pyspark.ml import PipelineModel
from pyspark.ml.functions import array_to_vector
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so
from sklearn.decomposition import PCA

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError, InputError, SettingsError
from fruits_pipeline.reduce.bounds import bounds
from fruits_pipeline.reduce.decompose import moments_of
from fruits_pipeline.reduce.labels import LABELLED
from fruits_pipeline.reduce.project import reduced as reduced_by
from fruits_pipeline.reduce.reduction import fit as fit_parts
from fruits_pipeline.reduce.transform import input_column
from fruits_pipeline.session import added
from fruits_pipeline.session.arrange import arranged, partitions
from fruits_pipeline.session.configured import configured
from fruits_pipeline.session.tables import spark_schema
from fruits_pipeline.settings.reduce import ReduceSettings
from reduced_rows import USUAL

ROOT = "file:///source"
D = 12


def matrix(rows=120, seed=0):
    noise = np.random.default_rng(seed)
    mixing = noise.normal(size=(D, D)) * np.linspace(3, 0.1, D)
    return (noise.normal(size=(rows, D)) @ mixing + 5).astype(np.float32)


def frame(spark, values, test_from=None, root=ROOT):
    test_from = len(values) if test_from is None else test_from
    names = [
        (f"{root}/a/{i:04d}.jpg", f"a/{i:04d}.jpg", "a", "train" if i < test_from else "test")
        for i in range(len(values))
    ]
    rows = [(*names[i], f"{i}", *USUAL.values(), i, row.tolist()) for i, row in enumerate(values)]
    return spark.createDataFrame(rows, spark_schema(LABELLED))


def fit(features, components, transform="none", known=None):
    return fit_parts([features], ReduceSettings(components=components, transform=transform), known)


def reduced(features, reduction):
    return reduced_by(features, reduction.projection)


def values_of(rows):
    return np.array([row["pca_features"] for row in rows.orderBy("path").collect()])


def test_components_are_orthonormal_and_their_shares_fall_to_a_sum_of_one(spark):
    reduction = fit(frame(spark, matrix()), D)
    loadings = reduction.model.stages[-1].pc.toArray()
    assert np.allclose(loadings.T @ loadings, np.eye(D), atol=1e-10)
    ratio = reduction.explained_variance_ratio
    assert ratio.shape == (D,)
    assert (np.diff(ratio) <= 0).all()
    assert ratio.sum() == pytest.approx(1)


def test_agrees_with_scikit_learn_up_to_sign(spark):
    values = matrix()
    theirs = PCA(5).fit(values)
    ours = fit(frame(spark, values), 5)
    found = values_of(reduced(frame(spark, values), ours))
    assert np.abs(found) == pytest.approx(np.abs(theirs.transform(values)), abs=1e-4)
    assert ours.explained_variance_ratio[:5] == pytest.approx(theirs.explained_variance_ratio_, rel=1e-5)


def test_largest_loading_of_each_component_is_positive(spark):
    loadings = fit(frame(spark, matrix()), D).model.stages[-1].pc.toArray()
    assert (loadings[np.abs(loadings).argmax(axis=0), np.arange(D)] > 0).all()


def test_reduced_training_rows_have_mean_zero(spark):
    features = frame(spark, matrix())
    assert values_of(reduced(features, fit(features, 4))).mean(axis=0) == pytest.approx(0, abs=1e-5)


def test_other_test_rows_change_nothing(spark):
    values = matrix()
    other = values.copy()
    other[80:] = 1000
    first, second = (fit(frame(spark, v, test_from=80), 4) for v in (values, other))
    assert first.training_rows == second.training_rows == 80
    assert second.explained_variance_ratio == pytest.approx(first.explained_variance_ratio, abs=1e-12)
    same = frame(spark, values)
    assert values_of(reduced(same, second)) == pytest.approx(values_of(reduced(same, first)), abs=1e-6)


def test_rows_in_are_rows_out_and_unlabelled_and_test_rows_are_kept(spark):
    features = frame(spark, matrix(30), test_from=20).withColumn("label", F.lit(None).cast("string"))
    found = reduced(features, fit(features, 3))
    assert found.columns == schemas.REDUCED.names
    assert found.count() == 30


def test_a_share_keeps_the_fewest_components_that_reach_it(spark):
    features = frame(spark, matrix())
    reduction = fit(features, 0.9)
    running = np.cumsum(reduction.explained_variance_ratio)
    assert running[reduction.k - 1] >= 0.9 > running[reduction.k - 2]
    assert fit(features, reduction.k).k == reduction.k
    assert values_of(reduced(features, reduction)).shape == (120, reduction.k)


def test_one_with_a_dot_is_everything_and_without_a_dot_one_component(spark):
    features = frame(spark, matrix())
    assert (fit(features, 1.0).k, fit(features, 1).k) == (D, 1)


def test_saved_model_loads_with_pipeline_model_and_gives_equal_values(spark, tmp_path):
    features = frame(spark, matrix())
    reduction = fit(features, 4)
    reduction.model.save(f"file://{tmp_path}/reduce")
    loaded = PipelineModel.load(f"file://{tmp_path}/reduce")
    vectors = features.withColumn("features_vector", array_to_vector("features")).orderBy("path")
    kept, again = (
        np.array([row["pca_vector"].toArray() for row in model.transform(vectors).collect()])
        for model in (reduction.model, loaded)
    )
    assert (again == kept).all()
    assert again.shape == (120, 4)
    assert values_of(reduced(features, reduction)) == pytest.approx(again, rel=1e-6, abs=1e-6)


def in_partitions(df):
    return [[(row["content_sha256"], row["label"], row["split"]) for row in part] for part in df.rdd.glom().collect()]


def test_arrangement_follows_from_content_label_and_split_alone(spark):
    values = matrix(200)
    features = frame(spark, values, test_from=150)
    expected = in_partitions(arranged(features))
    assert len(expected) == partitions(200) == 2
    elsewhere = frame(spark, values, test_from=150, root="s3://bucket/other").repartition(7).orderBy(F.rand(3))
    assert in_partitions(arranged(elsewhere)) == expected
    assert in_partitions(arranged(frame(spark, values, test_from=149))) != expected


def test_parts_reduce_as_the_whole(spark):
    values = matrix(200)
    whole = frame(spark, values)
    parts = [
        whole.where(F.col("path") < "file:///source/a/0080"),
        whole.where(F.col("path") >= "file:///source/a/0080"),
    ]
    one, two = (fit_parts(given, ReduceSettings(components=5, transform="none")) for given in ([whole], parts))
    assert (one.projection.loadings == two.projection.loadings).all()
    assert two.training_rows == 200


def test_features_in_another_order_reduce_to_equal_values(spark):
    features = frame(spark, matrix(200))
    shuffled = features.repartition(7).orderBy(F.rand(3))
    first, second = (values_of(reduced(features, fit(df, 6))) for df in (features, shuffled))
    assert second == pytest.approx(first, abs=1e-6)


def test_too_few_training_images(spark):
    with pytest.raises(InputError, match="at least 2 training images, found 1 in features"):
        fit(frame(spark, matrix(3), test_from=1), 0.9)


def test_equal_training_images(spark):
    with pytest.raises(InputError, match="images that differ, found 5 with equal features"):
        fit(frame(spark, np.ones((5, D), np.float32)), 0.9)


def test_more_components_than_features(spark):
    with pytest.raises(SettingsError, match=r"count from 1 to 12, .* found 13"):
        fit(frame(spark, matrix()), 13)


def test_more_components_than_the_images_span(spark):
    with pytest.raises(InputError, match=r"--components 5 .* 4 training images span: expected at most 3"):
        fit(frame(spark, matrix(4)), 5)


def test_the_whole_variance_of_few_images_takes_no_more_components_than_they_span(spark):
    assert fit(frame(spark, matrix(4)), 1.0).k == 3


def test_features_that_are_no_numbers(spark):
    values = matrix(10)
    values[3, 7] = np.nan
    with pytest.raises(DatasetError, match=r"finite numbers, .* 1 of 12 columns, the first at index 7"):
        fit(frame(spark, values), 0.9)


def test_moments_are_numpys_whatever_the_partitions_and_batches(spark):
    values = matrix(300)
    values[:, [2, 5]] = 7
    with configured(spark, {"spark.sql.execution.arrow.maxRecordsPerBatch": "16"}):
        one, other = (moments_of([frame(spark, values).repartition(partitions)]) for partitions in (1, 20))
    assert one.rows == 300
    np.testing.assert_allclose(one.mean, values.mean(axis=0, dtype=float), atol=1e-6)
    np.testing.assert_allclose(one.covariance, np.cov(values.astype(float), rowvar=False), atol=1e-4)
    assert (one.covariance[[2, 5]] == 0).all()
    assert (one.mean == other.mean).all()
    assert (one.covariance == other.covariance).all()


def test_many_tasks_are_added_up_by_fewer_to_the_same_sums(spark, monkeypatch):
    values = matrix(300)
    expected = moments_of([frame(spark, values)])
    monkeypatch.setattr(added, "cores", lambda _: 10)
    found = moments_of([frame(spark, values).repartition(20)])
    assert found.rows == 300
    assert (found.covariance == expected.covariance).all()


@pytest.mark.parametrize("largest", [np.inf, 9, 50])
def test_one_pass_within_known_bounds_gives_what_two_give_and_other_bounds_are_noticed(spark, largest):
    """Values lie between 0 and some 30: of the bounds here the first hold nothing, and the second are wrong."""
    values = np.abs(matrix(300))
    known = None if largest == np.inf else bounds(largest, 300, D, "none")
    found, expected = moments_of([frame(spark, values)], "none", known), moments_of([frame(spark, values)])
    np.testing.assert_allclose(found.mean, expected.mean, atol=1e-4)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-4, atol=1e-4)
    assert ((found.covariance == expected.covariance).all()) == (largest != 50)


@pytest.mark.parametrize("by", ["none", "sqrt", "unit"])
def test_the_saved_model_does_with_features_what_the_job_did(spark, by, tmp_path):
    values = np.abs(matrix())
    values[3] = 0
    features = frame(spark, values)
    reduction = fit(features, 4, transform=by, known=bounds(60, 120, D, by))
    reduction.model.save(f"file://{tmp_path}/reduce")
    given = F.transform("features", F.sqrt) if by == "sqrt" else F.col("features")
    vectors = features.withColumn(input_column(by), array_to_vector(given)).orderBy("path")
    loaded = PipelineModel.load(f"file://{tmp_path}/reduce").transform(vectors)
    found = np.array([row["pca_vector"].toArray() for row in loaded.collect()])
    assert values_of(reduced(features, reduction)) == pytest.approx(found, rel=1e-4, abs=1e-4)
    before = {"none": values, "sqrt": np.sqrt(values)}.get(by)
    if before is None:
        before = np.sqrt(D) * values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    theirs = PCA(4, svd_solver="full").fit_transform(before)
    assert np.abs(found) == pytest.approx(np.abs(theirs), rel=1e-3, abs=1e-3)


def test_features_that_give_no_components_are_told_by_the_first_path(spark):
    values = np.abs(matrix())
    reduction = fit(frame(spark, values), 4, transform="sqrt")
    values[7, 3] = -1
    with pytest.raises(PythonException, match=r"found others of file:///source/a/0007\.jpg"):
        reduced(frame(spark, values), reduction).collect()


def test_no_row_has_no_moments(spark):
    assert moments_of([frame(spark, matrix(1)).limit(0)]) is None
