"""The whole job the notebook way: features by line (a), then Spark's own PCA and random forest, judged on Test.

    .venv/bin/python benchmarks/job_notebook.py --data-source IMAGES --output-uri NEW_FOLDER

In its favour: whole Arrow batches of 1,024 rows, features read back from Parquet once, and the reduced rows cached.
"""

import argparse
import json
from pathlib import Path

from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import PCA, StringIndexer, VectorSlicer
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.weights import obtain_weights
from fruits_pipeline.settings.classify import ClassifySettings
from images import shared_with_workers
from lines.a_notebook import ARROW_ROWS, features_udf
from lines.spark_local import contents, session

_BACKBONE = "mobilenetv2"
_PARTITIONS = 16
_COMPONENTS = 100
_INDEX = "label_index"
_REDUCED = "pca_features"


def main() -> None:
    """Prints the accuracy on the Test side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-source", type=Path, required=True, help="a folder of Training/LABEL/ and Test/LABEL/")
    parser.add_argument("--output-uri", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    parser.add_argument("--our-forest", action="store_true", help="our forest's settings in place of Spark's defaults")
    asked = parser.parse_args()
    shared_with_workers()
    with session(ARROW_ROWS) as spark:
        _write_features(spark, asked.data_source, asked.output_uri / "features", asked.cache_dir)
        train, test = _reduced(spark.read.parquet(str(asked.output_uri / "features")))
        accuracy = _accuracy(train, test, ours=asked.our_forest)
    print(json.dumps({"accuracy": {"random_forest": accuracy}}))


def _write_features(spark: SparkSession, images: Path, out: Path, cache_dir: Path) -> None:
    weights = obtain_weights(backbone_named(_BACKBONE), None, cache_dir).read_bytes()
    featurise = features_udf(spark.sparkContext.broadcast(weights), _BACKBONE)
    rows = contents(spark, images, _PARTITIONS).select("path", featurise("content").alias("features"))
    rows.write.parquet(str(out))


def _reduced(features: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Training and test rows: label, ``label_index`` and ``pca_features``; what is learnt comes from Training alone."""
    folders = F.split("path", "/")
    rows = features.select(
        F.element_at(folders, -3).alias("split"),
        F.element_at(folders, -2).alias("label"),
        array_to_vector("features").alias("vector"),
    )
    train = rows.where(F.col("split") == "Training").cache()
    indexer = StringIndexer(inputCol="label", outputCol=_INDEX).fit(train)
    pca = PCA(k=_COMPONENTS, inputCol="vector", outputCol=_REDUCED).fit(train)
    sides = (train, rows.where(F.col("split") == "Test"))
    first, second = (indexer.transform(pca.transform(side)).drop("vector").cache() for side in sides)
    return first, second


def _accuracy(train: DataFrame, test: DataFrame, *, ours: bool) -> float:
    """The accuracy on Test of Spark's forest as it comes, or with our settings on as many components as ours."""
    settings = ClassifySettings()
    forest = RandomForestClassifier(labelCol=_INDEX, featuresCol=_REDUCED)
    if ours:
        forest.setParams(
            featuresCol="leading",
            numTrees=settings.forest_trees,
            maxDepth=settings.forest_depth,
            maxBins=settings.forest_bins,
            subsamplingRate=settings.forest_subsampling,
            featureSubsetStrategy=str(settings.forest_tried),
            seed=settings.forest_seed,
        )
        slicer = VectorSlicer(inputCol=_REDUCED, outputCol="leading", indices=list(range(settings.forest_components)))
        train, test = slicer.transform(train), slicer.transform(test)
    predicted = forest.fit(train).transform(test)
    return MulticlassClassificationEvaluator(labelCol=_INDEX, metricName="accuracy").evaluate(predicted)


if __name__ == "__main__":
    main()
