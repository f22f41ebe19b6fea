"""The multinomial logistic regression on all components."""

from math import ceil
from typing import Any, Final

from pyspark.ml.classification import LogisticRegression, LogisticRegressionModel
from pyspark.sql import DataFrame

from fruits_pipeline.classify.fitted import INDEX, PREDICTED_INDEX, PROBABILITY, Fit
from fruits_pipeline.settings.classify import ClassifySettings

# Share of the iterations that all rows take after a sample.
_CONTINUED: Final = 0.3


def regression(source: str, settings: ClassifySettings, start: DataFrame | None, rows: DataFrame) -> Fit:
    """Fits the regression, on a sample first where there is one: each iteration is a pass over the rows.

    Args:
        source: Column of all k components.
        settings: Iterations and L2 penalty.
        start: The sample, shaped as ``rows``; it has every label.
        rows: Labelled training rows: vector column ``source`` (k,) and double ``label_index``.

    Returns:
        No stage before it, and the regression: from ``source`` to ``prediction`` and ``probability``.
    """
    iterations = settings.regression_iterations
    if start is None:
        return [], _classifier(source, settings, iterations).fit(rows.select(source, INDEX))
    first: LogisticRegressionModel = _classifier(source, settings, iterations).fit(start.select(source, INDEX))
    classifier = _classifier(source, settings, ceil(_CONTINUED * iterations))
    java: Any = classifier._java_obj  # noqa: SLF001 because Python has no way to the first model of Spark's own class
    java.setInitialModel(first._java_obj)  # noqa: SLF001 because of the same
    return [], classifier.fit(rows.select(source, INDEX))


def _classifier(source: str, settings: ClassifySettings, iterations: int) -> LogisticRegression:
    return LogisticRegression(
        featuresCol=source,
        labelCol=INDEX,
        predictionCol=PREDICTED_INDEX,
        probabilityCol=PROBABILITY,
        family="multinomial",
        maxIter=iterations,
        regParam=settings.regression_l2,
        elasticNetParam=0.0,
        # Components share one scale: dividing each by its own spread gives the noise of the last ones the
        # weight of the first (95 labels: 98.9 % with, 99.2 % without, on 2026-11-21).
        standardization=False,
    )
