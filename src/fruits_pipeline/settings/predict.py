"""Settings of ``predict``: how what the models say of photos is told."""

from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.models import ModelsSettings
from fruits_pipeline.settings.room import Incidental

FormatName = Literal["table", "json", "csv"]


class PredictSettings(ModelsSettings):
    """Which models name the labels of photos, and what is told of each; the first classifier is asked."""

    top: int = Field(3, ge=1, description="Labels to show for each photo, the likeliest first.")
    probabilities: Annotated[bool, Parameter(negative="")] = Field(
        False,
        description="Give the probability of every label: in csv a column for each, in json an object, in a table all "
        "labels in place of --top.",
    )
    format: Annotated[FormatName, Incidental] = Field(
        "table", description="table for people, json or csv for programs."
    )
