"""Settings of every command that uses the models of a finished run."""

from typing import Annotated

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.classify import ClassifierName
from fruits_pipeline.settings.room import Room


class ModelPlaceSettings(Room):
    """Where the trained models lie."""

    model: str = Field(min_length=1, description="Output folder of a finished 'run', whose models are used.")


class ModelsSettings(ModelPlaceSettings):
    """Which trained models."""

    classifier: Annotated[
        tuple[ClassifierName, ...], Parameter(negative="", consume_multiple=False, show_default=", ".join)
    ] = Field(
        ("logistic_regression", "random_forest"),
        min_length=1,
        description="Classifier to ask, of those that the run trained; repeatable. 'predict' asks the first "
        "one, 'score' all, and judges drift by the first one.",
    )
