"""A fitted classifier, and the shape that both classifiers share as pipelines."""

from dataclasses import dataclass
from typing import Final

from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.classification import LogisticRegressionModel, RandomForestClassificationModel
from pyspark.ml.feature import IndexToString

from fruits_pipeline.settings.classify import ClassifierName

INDEX: Final = "label_index"
PREDICTED_INDEX: Final = "prediction"
PROBABILITY: Final = "probability"
PREDICTED: Final = "predicted_label"


# Stages before the classifier, and the fitted classifier.
Fit = tuple[list[Transformer], RandomForestClassificationModel | LogisticRegressionModel]


@dataclass(frozen=True)
class Stages:
    """Stages before the classifier, the fitted classifier, the rows that it learnt from, and the fit's seconds."""

    before: list[Transformer]
    classifier: RandomForestClassificationModel | LogisticRegressionModel
    training_rows: int
    fit_s: float


@dataclass(frozen=True)
class Fitted:
    """One fitted classifier.

    Attributes:
        name: Which classifier, as settings and datasets spell it.
        model: From the reduction's input column to the string ``predicted_label``.
        classifier: The stage of ``model`` that was fitted to the leading components.
        training_rows: Rows that it learnt from.
        fit_s: Seconds of the fit alone.
    """

    name: ClassifierName
    model: PipelineModel
    classifier: RandomForestClassificationModel | LogisticRegressionModel
    training_rows: int
    fit_s: float


def assembled(name: ClassifierName, reduction: PipelineModel, stages: Stages, labels: list[str]) -> Fitted:
    """Puts fitted ``stages`` between the reduction and the names of the labels.

    Args:
        name: Which classifier.
        reduction: Fitted reduction; its last stage's output column is what ``stages`` take.
        stages: What was fitted.
        labels: Label of each index, by alphabet.
    """
    model = PipelineModel([*reduction.stages, *whole(stages, labels)])
    return Fitted(name, model, stages.classifier, stages.training_rows, stages.fit_s)


def whole(stages: Stages, labels: list[str]) -> list[Transformer]:
    """From components to the string ``predicted_label``."""
    naming = IndexToString(inputCol=PREDICTED_INDEX, outputCol=PREDICTED, labels=labels)
    return [*stages.before, stages.classifier, naming]


def output_of(model: PipelineModel) -> str:
    """The column that the last stage of ``model`` adds."""
    return str(model.stages[-1].getOrDefault("outputCol"))
