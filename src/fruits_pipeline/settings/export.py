"""Settings of ``export``: what the app's model is written as, and what is asked of it."""

from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.models import ModelPlaceSettings
from fruits_pipeline.settings.room import Incidental

AppFormat = Literal["tflite", "onnx", "openvino"]


class ExportSettings(ModelPlaceSettings):
    """Which output's regression becomes an app's model, and how it is checked before it is written."""

    format: AppFormat = Field(
        "tflite",
        description="tflite: int8 weights, for LiteRT on phones; onnx: float32, for ONNX Runtime; openvino: "
        "as precise as the run, for OpenVINO.",
    )
    images: int = Field(
        500,
        ge=50,
        le=2_000,
        description="Images of the run, those it was not trained on first, on which the written model is "
        "compared with the run.",
    )
    unknown_precision: float = Field(
        0.95,
        gt=0,
        le=1,
        description="Share of right answers that is asked for: below the confidence that reaches it, an app "
        "should say that it does not know.",
    )
    overwrite: Annotated[bool, Incidental, Parameter(negative="")] = Field(
        False, description="Replace the files of an earlier export in --output-uri."
    )
    force: Annotated[bool, Incidental, Parameter(negative="")] = Field(
        False,
        description="Write the model even where its labels differ from those of the run on more than 1 of "
        "100 images, or its confidence too much.",
    )
