"""The random forest on the leading components, grown as some smaller forests at the same time.

A pass of Spark's fit shuffles labels x bins x components tried doubles for each node of each partition, whatever the
rows: rows in one partition are the least work, and small forests beside each other use the processors.
"""

from collections.abc import Sequence
from multiprocessing.pool import ThreadPool
from typing import Any, Final

from pyspark import SparkContext, inheritable_thread_target
from pyspark.ml.classification import RandomForestClassificationModel, RandomForestClassifier
from pyspark.ml.feature import VectorSlicer
from pyspark.ml.wrapper import JavaWrapper
from pyspark.sql import DataFrame

from fruits_pipeline.classify.fitted import INDEX, PREDICTED_INDEX, PROBABILITY, Fit
from fruits_pipeline.settings.classify import ClassifySettings

_INPUT: Final = "forest_vector"
# Forests at the same time, for at least so many rows: for fewer, starting passes is most of the work. Part of the
# result, so the same on every machine.
_FORESTS: Final = 4
_ROWS_OF_FORESTS: Final = 5_000
# Node statistics beyond this many MB make a level of the trees take another pass over the rows. It is part of the
# result, since it groups the nodes that draw from one seed.
_MAX_MEMORY_MB: Final = 256


def forest(source: str, settings: ClassifySettings, rows: DataFrame) -> Fit:
    """Fits the forest.

    Args:
        source: Column of all k components.
        settings: All that begins with ``forest_``.
        rows: Labelled training rows in one partition: vector column ``source`` (k,) and double ``label_index``.

    Returns:
        The stage before the forest, and the forest: from ``source`` to ``prediction`` and ``probability``.
    """
    leading = _leading(rows, source, settings)
    slicer = VectorSlicer(inputCol=source, outputCol=_INPUT, indices=leading)
    seen = slicer.transform(rows).select(_INPUT, INDEX)
    tried = min(settings.forest_tried, len(leading))

    forests = min(_FORESTS if seen.count() >= _ROWS_OF_FORESTS else 1, settings.forest_trees)

    def grown(number: int) -> RandomForestClassificationModel:
        trees = len(range(number, settings.forest_trees, forests))
        part: RandomForestClassificationModel = _classifier(settings, trees, tried, number).fit(seen)
        return part

    with ThreadPool(forests) as pool:
        return [slicer], _joined(pool.map(inheritable_thread_target(grown), range(forests)))


def _classifier(settings: ClassifySettings, trees: int, tried: int, number: int) -> RandomForestClassifier:
    return RandomForestClassifier(
        featuresCol=_INPUT,
        labelCol=INDEX,
        predictionCol=PREDICTED_INDEX,
        probabilityCol=PROBABILITY,
        numTrees=trees,
        maxDepth=settings.forest_depth,
        maxBins=settings.forest_bins,
        subsamplingRate=settings.forest_subsampling,
        maxMemoryInMB=_MAX_MEMORY_MB,
        # Else each pass sends the trees themselves to the tasks, serialised several times by the driver.
        cacheNodeIds=True,
        featureSubsetStrategy=str(tried),
        seed=settings.forest_seed + number,
    )


def _joined(forests: Sequence[RandomForestClassificationModel]) -> RandomForestClassificationModel:
    """One forest of all trees, made by the constructor of the JVM's own model."""
    first = forests[0]
    # Held until the JVM has the array: what Python drops, the JVM may forget.
    every = [tree for one in forests for tree in one.trees]
    jvm: Any = SparkContext._jvm  # noqa: SLF001, because there is no public way to make a model from trees
    package = jvm.org.apache.spark.ml.classification
    trees = JavaWrapper._new_java_array([tree._java_obj for tree in every], package.DecisionTreeClassificationModel)  # noqa: SLF001, because of the same
    java = package.RandomForestClassificationModel(first.uid, trees, first.numFeatures, first.numClasses)
    whole: RandomForestClassificationModel = first._copyValues(RandomForestClassificationModel(java))  # noqa: SLF001, because of the same
    return whole.copy({whole.numTrees: len(every)})


def _leading(rows: DataFrame, source: str, settings: ClassifySettings) -> list[int]:
    """Indices of the components that the forest sees: as many as asked, or all where there are fewer."""
    first = rows.select(source).first()
    k = first[0].size if first else 0
    return list(range(min(settings.forest_components, k)))
