"""Settings of ``score``: whose models say what new images show, and how different these may be."""

from typing import Annotated

from pydantic import Field

from fruits_pipeline.settings.models import ModelsSettings
from fruits_pipeline.settings.room import Incidental, Room


class DriftSettings(Room):
    """How different new images may be from those of the training."""

    max_drift: Annotated[float | None, Incidental] = Field(
        None,
        ge=0.5,
        le=1,
        description="End with exit code 3, once everything is written, when new images can be told from "
        "training images with this AUC or more (0.5: not at all, 1: always) and this is not by "
        "chance.",
    )


class ScoreSettings(DriftSettings, ModelsSettings):
    """Which models; all classifiers that are asked for and that the output has give predictions."""


class SubmittedScoreSettings(DriftSettings):
    """What ``submit --job score`` takes beside the flags of ``run``."""

    model: str | None = Field(
        None, min_length=1, description="With --job score: output folder of a finished 'run', whose models are used."
    )
