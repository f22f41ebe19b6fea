"""Settings of the feature job: the backbone, how it is run, and how many rejects are too many."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from fruits_pipeline.settings.room import Incidental, Room

BackboneName = Literal["mobilenetv2", "xception"]
EngineName = Literal["openvino", "tensorflow"]
Precision = Literal["f32", "bf16", "int8"]
ReaderName = Literal["auto", "prefetch", "binaryfile"]


class WeightsSettings(Room):
    """Where the pretrained weights come from, and where they are kept."""

    weights: Annotated[Path | None, Incidental] = Field(
        None, description="Weights file (Keras HDF5, no top); by default fetched once and kept in the cache."
    )
    cache_dir: Annotated[Path | None, Incidental] = Field(
        None, description="Folder for weights and converted models; by default the user's cache folder."
    )


class SizedSettings(Room):
    """Which pretrained network, at which size."""

    backbone: BackboneName = Field("mobilenetv2", description="Pretrained network.")
    image_size: int | None = Field(
        None,
        ge=32,
        le=2048,
        description="Side in pixels of the square that images are resized to; by default the "
        "published 224 (mobilenetv2) or 299 (xception).",
    )


# The base that is named last gives the first flags.
class NetworkSettings(WeightsSettings, SizedSettings):
    """Which pretrained network, at which size, with which weights."""


class BackboneSettings(NetworkSettings):
    """What runs the network, and how exactly."""

    engine: EngineName = Field("openvino", description="What runs it; tensorflow is the reference.")
    precision: Precision = Field(
        "f32",
        description="Arithmetic of the engine; bf16 needs a processor that has it, int8 a model made by `calibrate`.",
    )


class ReadingSettings(Room):
    """How images are read, and how many rejects are too many; nothing of it changes a feature."""

    reader: Annotated[ReaderName, Incidental] = Field(
        "auto",
        description="What reads the images: prefetch fetches ahead in the workers, binaryfile is Spark's own source "
        "and connectors; auto takes prefetch where a worker can read by it, else binaryfile.",
    )
    batch_rows: Annotated[int, Incidental] = Field(
        64, ge=1, le=1024, description="Images in one batch; fewer where files are large."
    )
    max_reject_share: Annotated[float, Incidental] = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of rejects at which the job stops, judged after each wave once 1,000 "
        "images were tried, and at the end.",
    )
    decode_timeout_s: Annotated[float, Incidental] = Field(
        60.0, gt=0, description="Longest that one image may take to decode."
    )


class FeaturesSettings(ReadingSettings, BackboneSettings):
    """How images become features."""

    max_pixels: int = Field(
        100_000_000,
        ge=1,
        description="Images that take memory for more pixels are rejected; "
        "JPEGs are judged as they are decoded, at reduced scale.",
    )
    max_bytes: int = Field(268_435_456, ge=1, description="Images with more bytes are rejected unread.")
