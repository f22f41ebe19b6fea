"""The random forest on the leading components."""

from typing import Final

from pyspark.ml import Transformer
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.feature import VectorSlicer
from pyspark.sql import DataFrame

from fruits_pipeline.classify.fitted import INDEX, PREDICTED_INDEX, PROBABILITY
from fruits_pipeline.settings.classify import ClassifySettings

_INPUT: Final = "forest_vector"
# Node statistics take labels x bins x components x 8 bytes each; Spark's 256 MB would split a level of
# fifty trees into several passes over the rows.
_MAX_MEMORY_MB: Final = 512


def forest(rows: DataFrame, source: str, settings: ClassifySettings) -> list[Transformer]:
    """Fits the forest.

    Args:
        rows: Labelled training rows: vector column ``source`` (k,) and double ``label_index``.
        source: Column of all k components.
        settings: Trees, depth, bins, leading components, share of rows for each tree, seed.

    Returns:
        The stages that take ``source`` to ``prediction`` and ``probability``.
    """
    slicer = VectorSlicer(inputCol=source, outputCol=_INPUT, indices=_leading(rows, source, settings))
    seen = slicer.transform(rows).select(_INPUT, INDEX)
    classifier = RandomForestClassifier(
        featuresCol=_INPUT,
        labelCol=INDEX,
        predictionCol=PREDICTED_INDEX,
        probabilityCol=PROBABILITY,
        numTrees=settings.forest_trees,
        maxDepth=settings.forest_depth,
        maxBins=settings.forest_bins,
        subsamplingRate=settings.forest_subsampling,
        maxMemoryInMB=_MAX_MEMORY_MB,
        seed=settings.seed,
    )
    return [slicer, classifier.fit(seen)]


def _leading(rows: DataFrame, source: str, settings: ClassifySettings) -> list[int]:
    """Indices of the components that the forest sees: as many as asked, or all where there are fewer."""
    first = rows.select(source).first()
    k = first[0].size if first else 0
    return list(range(min(settings.forest_components, k)))
