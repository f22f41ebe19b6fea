"""Settings of every command that uses the models of a finished run."""

from typing import Annotated

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.classify import ClassifierName
from fruits_pipeline.settings.room import Room


class ModelPlaceSettings(Room):
    """Where the trained models lie."""

    model: str = Field(min_length=1, description="Output of a finished run, whose models are used.")


class ModelsSettings(ModelPlaceSettings):
    """Which trained models."""

    classifier: Annotated[tuple[ClassifierName, ...], Parameter(negative="", consume_multiple=False)] = Field(
        ("logistic_regression", "random_forest"),
        min_length=1,
        description="Classifier that is asked, of those that the output has; repeatable, the first one counts most.",
    )
