"""Settings of ``predict``: which trained models, and how what they say is shown."""

from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.classify import ClassifierName
from fruits_pipeline.settings.room import Incidental, Room

FormatName = Literal["table", "json", "csv"]


class PredictSettings(Room):
    """What names the labels of photos."""

    model: str = Field(min_length=1, description="Output of a finished run, whose models are used.")
    classifier: Annotated[tuple[ClassifierName, ...], Parameter(negative="", consume_multiple=False)] = Field(
        ("logistic_regression", "random_forest"),
        min_length=1,
        description="Classifier that is asked: the first of these that the output has; repeatable.",
    )
    top: int = Field(3, ge=1, description="Labels that are told of each photo.")
    format: Annotated[FormatName, Incidental] = Field("table", description="How they are told.")
