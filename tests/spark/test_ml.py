"""Lines of docs/LIBRARY.md and docs/RESULTS.md, and the stages of Spark ML, on a model of three colours."""

import re
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.errors import PythonException
from pyspark.ml import PipelineModel
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so
from small_source import add_images

from fruits_pipeline import pipeline
from fruits_pipeline.errors import InputError, SettingsError
from fruits_pipeline.ml import FruitsClassifier, FruitsFeatures, FruitsReduction, features
from fruits_pipeline.ml.vectors import Vectors

DOCS = Path(__file__).resolve().parents[2] / "docs"
LIBRARY, RESULTS = (
    re.findall(r"^```python\n(.*?)^```", (DOCS / name).read_text(), re.MULTILINE | re.DOTALL)
    for name in ("LIBRARY.md", "RESULTS.md")
)
LINES = LIBRARY[0]


def left_behind(spark):
    """What a library may not leave in somebody else's session and process."""
    context = spark.sparkContext
    names = ("spark.jobGroup.id", "spark.job.description")
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    return (
        {row.key: row.value for row in spark.sql("SET").collect()},
        [context.getLocalProperty(n) for n in names],
        handlers,
    )


@pytest.fixture(scope="module")
def prepared(colours):
    with pytest.MonkeyPatch.context() as patch:
        for module in (pipeline, features):
            patch.setattr(module, "prepare", lambda _: colours)
        yield


@pytest.fixture(scope="module")
def ran(spark, prepared, tmp_path_factory):  # noqa: ARG001 because it is what the lines find in place of a download
    """The names that the ten lines leave, and the folder in which they ran."""
    folder = tmp_path_factory.mktemp("library")
    add_images(folder / "photos", 8)
    names: dict = {}
    before = left_behind(spark)
    # The JVM is not where a test is, so that paths are made whole.
    lines = re.sub(r'"(photos|results)', rf'"{folder}/\1', LINES)
    exec(lines, names)  # noqa: S102 because these lines are the document's
    assert left_behind(spark) == before
    return names, folder


@pytest.fixture(scope="module")
def job(ran):
    """Features of the job, by path."""
    return pd.read_parquet(ran[1] / "results/features").set_index("path")


def test_the_ten_lines_of_the_document_run_in_a_session_that_lives_on(spark, ran):
    names = ran[0]
    assert sum(line != "" for line in LINES.splitlines()) == 10
    assert names["spark"].sparkContext is spark.sparkContext
    assert spark.range(3).count() == 3
    assert names["record"]["status"] == "done"
    assert names["record"]["rooms"]["reduce"]["rows"] == 48


def shown(folder, block):
    """The names that a block of docs/RESULTS.md leaves."""
    names: dict = {}
    exec(re.sub(r'"results', f'"{folder}/results', block), names)  # noqa: S102 because these lines are the document's
    return names


@pytest.mark.usefixtures("spark")
def test_the_models_of_a_run_are_loaded_and_applied_by_two_lines_of_spark_ml(ran):
    (block,) = [block for block in RESULTS if "PipelineModel.load" in block]
    names = shown(ran[1], block)
    told = names["told"].toPandas().set_index("path")
    expected = pd.read_parquet(ran[1] / "results/predictions").set_index("path").loc[told.index]
    assert list(told["predicted_label"]) == list(expected["prediction"])
    np.testing.assert_allclose(told["probabilities"].map(max), expected["confidence"], atol=1e-5)
    best = [names["labels"][np.argmax(shares)] for shares in told["probabilities"]]
    assert best == list(told["predicted_label"])


def test_the_tables_of_a_run_are_read_and_joined_by_pandas(ran):
    (block,) = [block for block in RESULTS if "import pandas" in block]
    names = shown(ran[1], block)
    assert (len(names["labelled"]), set(names["scores"]["metric"]) >= {"accuracy", "macro_f1"}) == (48, True)
    assert names["labelled"]["label"].notna().all()


@pytest.mark.parametrize("kind", ["paths", "contents"])
@pytest.mark.usefixtures("ran")
def test_features_are_those_of_the_job(spark, job, kind):
    paths = [path.removeprefix("file://") for path in job.index]
    values = paths if kind == "paths" else [Path(path).read_bytes() for path in paths]
    schema = f"place string, image {'string' if kind == 'paths' else 'binary'}"
    images = spark.createDataFrame(list(zip(job.index, values, strict=True)), schema)
    found = FruitsFeatures(inputCol="image", batch_rows=5).transform(images).toPandas().set_index("place")
    assert list(found.columns) == ["image", "features"]
    expected = np.stack(job["features"])
    np.testing.assert_array_equal(np.stack([row.toArray() for row in found.loc[job.index, "features"]]), expected)


def test_an_image_that_cannot_be_read_is_told_as_spark_ml_tells_it(spark, ran, tmp_path):
    good = next((ran[1] / "photos").rglob("*.png"))
    bad = tmp_path / "text.jpg"
    bad.write_text("not an image")
    rows = [
        (1, str(good)),
        (2, str(bad)),
        (3, None),
        (4, "hdfs:///a.jpg"),
        (5, f"file:{good}"),
        (6, str(tmp_path / "no")),
    ]
    images = spark.createDataFrame(rows, "id int, path string")
    stage = FruitsFeatures(inputCol="path", handleInvalid="keep", errorCol="reason")
    kept = stage.transform(images).toPandas()
    assert kept["reason"].tolist() == [None, "not_an_image", "missing", "unaddressable_key", None, "missing"]
    assert [vector is None for vector in kept["features"]] == [False, True, True, True, False, True]
    skipped = stage.copy({stage.handleInvalid: "skip"}).transform(images)
    assert [row.id for row in skipped.collect()] == [1, 5]
    with pytest.raises(PythonException, match=rf"InputError: .* column 'path', found '{bad}': not_an_image"):
        stage.copy({stage.handleInvalid: "error"}).transform(images.where("id < 3")).collect()
    contents = spark.createDataFrame([(good.read_bytes(),), (b"",), (b"text",), (None,)], "content binary")
    kept = FruitsFeatures(inputCol="content", handleInvalid="keep", errorCol="reason").transform(contents)
    assert [row.reason for row in kept.collect()] == [None, "empty", "not_an_image", "missing"]


@pytest.mark.usefixtures("prepared")
def test_what_no_stage_takes_is_refused_by_name(spark):
    numbers = spark.createDataFrame([(1, "a", [1.0])], "n int, label string, v array<double>")
    with pytest.raises(SettingsError, match=r"expected paths .string. or contents .binary. in column 'n', found int"):
        FruitsFeatures(inputCol="n").transform(numbers)
    with pytest.raises(SettingsError, match=r"expected a column 'path', found .'n', 'label', 'v'."):
        FruitsFeatures().transform(numbers)
    with pytest.raises(SettingsError, match=r"handleInvalid: expected one of .*, found 'drop'"):
        FruitsFeatures(inputCol="label", handleInvalid="drop").transform(numbers)
    with pytest.raises(SettingsError, match="expected vectors or arrays of numbers in column 'n', found int"):
        FruitsReduction(inputCol="n").fit(numbers)
    with pytest.raises(SettingsError, match="expected names of new columns, found 'label'"):
        FruitsFeatures(inputCol="label", outputCol="label").transform(numbers)
    with pytest.raises(SettingsError, match="expected names of new columns, found 'new'"):
        FruitsFeatures(inputCol="label", outputCol="new", errorCol="new").transform(numbers)
    with pytest.raises(SettingsError, match=r"expected text .string. in column 'n', found int; cast it"):
        FruitsClassifier(featuresCol="w", labelCol="n").fit(Vectors(inputCol="v", outputCol="w").transform(numbers))
    with pytest.raises(InputError, match="at least 2 labels, found only 'a'"):
        FruitsClassifier(featuresCol="w").fit(Vectors(inputCol="v", outputCol="w").transform(numbers))


def test_the_fitted_pipeline_is_saved_and_loaded(ran, tmp_path):
    names = ran[0]
    names["model"].write().save(str(tmp_path / "model"))
    loaded = PipelineModel.load(str(tmp_path / "model"))
    images = names["images"].where("split = 'test'")
    columns = ("path", "components_vector", "probability", "label", "predicted_label")
    one, other = (model.transform(images).select(*columns).toPandas() for model in (names["model"], loaded))
    pd.testing.assert_frame_equal(one, other)
    assert len(one) == 24
    assert (one["label"] == one["predicted_label"]).all()
    assert loaded.stages[0].extractParamMap() == names["model"].stages[0].extractParamMap()


def test_reduction_and_classifier_are_those_of_the_rooms(spark, ran):
    folder = ran[1]
    reduced = spark.read.parquet(str(folder / "results/reduced"))
    features = spark.read.parquet(str(folder / "results/features")).join(reduced.drop("pca_features"), on="path")
    train = features.where("split = 'train'").cache()
    unread = train.limit(1).withColumn("features", F.lit(None).cast("array<float>"))
    reduction = FruitsReduction(components=0.9).fit(train.union(unread))
    assert reduction.stages[0].transform(unread).first()[reduction.stages[0].getOutputCol()] is None
    model = FruitsClassifier(featuresCol="components_vector").fit(reduction.transform(train))
    mine = model.transform(reduction.transform(features)).toPandas().set_index("path")
    train.unpersist()
    rooms = reduced.toPandas().set_index("path").loc[mine.index, "pca_features"]
    np.testing.assert_allclose(np.stack(list(map(np.asarray, mine["components_vector"]))), np.stack(rooms), atol=1e-5)
    told = pd.read_parquet(folder / "results/predictions").set_index("path").loc[mine.index]
    assert (mine["predicted_label"] == told["prediction"]).all()
    np.testing.assert_allclose(
        [vector.toArray().max() for vector in mine["probability"]], told["confidence"], atol=1e-3
    )
