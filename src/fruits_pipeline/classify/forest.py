"""The random forest on the leading components."""

from typing import Final

from pyspark.ml import Transformer
from pyspark.ml.classification import RandomForestClassificationModel, RandomForestClassifier
from pyspark.ml.feature import VectorSlicer
from pyspark.sql import DataFrame

from fruits_pipeline.classify.fitted import INDEX, PREDICTED_INDEX, PROBABILITY
from fruits_pipeline.settings.classify import ClassifySettings

_INPUT: Final = "forest_vector"
# Node statistics take labels x bins x components tried x 8 bytes each; beyond this many MB a level of the trees takes
# another pass over the rows. It is part of the result, since it groups the nodes that draw from one seed.
_MAX_MEMORY_MB: Final = 512


def forest(
    rows: DataFrame, source: str, settings: ClassifySettings
) -> tuple[list[Transformer], RandomForestClassificationModel]:
    """Fits the forest.

    Args:
        rows: Labelled training rows: vector column ``source`` (k,) and double ``label_index``.
        source: Column of all k components.
        settings: All that begins with ``forest_``.

    Returns:
        The stage before the forest, and the forest: from ``source`` to ``prediction`` and ``probability``.
    """
    leading = _leading(rows, source, settings)
    slicer = VectorSlicer(inputCol=source, outputCol=_INPUT, indices=leading)
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
        # Else each pass sends the trees themselves to the tasks, serialised several times by the driver.
        cacheNodeIds=True,
        featureSubsetStrategy=str(min(settings.forest_tried, len(leading))),
        seed=settings.forest_seed,
    )
    return [slicer], classifier.fit(seen)


def _leading(rows: DataFrame, source: str, settings: ClassifySettings) -> list[int]:
    """Indices of the components that the forest sees: as many as asked, or all where there are fewer."""
    first = rows.select(source).first()
    k = first[0].size if first else 0
    return list(range(min(settings.forest_components, k)))
