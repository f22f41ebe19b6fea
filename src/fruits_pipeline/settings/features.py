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
        None,
        description="Weights file of the network (Keras HDF5, without its top layers); by default downloaded "
        "once and kept in the cache folder.",
    )
    cache_dir: Annotated[Path | None, Incidental] = Field(
        None, description="Folder for weights and converted models; by default the user's cache folder."
    )


class SizedSettings(Room):
    """Which pretrained network, at which size."""

    backbone: BackboneName = Field("mobilenetv2", description="Pretrained network that computes the features.")
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

    engine: EngineName = Field(
        "openvino",
        description="Library that runs the network: openvino, or tensorflow, with which the weights were published.",
    )
    precision: Precision = Field(
        "f32",
        description="Arithmetic of the network: f32; bf16, on processors that have it; int8, after "
        "`calibrate`. Each gives features of its own.",
    )


class ReadingSettings(Room):
    """How images are read, and how many rejects are too many; nothing of it changes a feature."""

    reader: Annotated[ReaderName, Incidental] = Field(
        "auto",
        description="How Spark's workers read the images. prefetch: each worker fetches its images ahead of "
        "the computation; binaryfile: through Spark's connectors, for clusters where only these "
        "have the credentials; auto: prefetch if a worker can open the images that way, else "
        "binaryfile.",
    )
    batch_rows: Annotated[int, Incidental] = Field(
        64, ge=1, le=1024, description="Images that a worker computes at a time; fewer where files are large."
    )
    max_reject_share: Annotated[float, Incidental] = Field(
        0.05,
        ge=0,
        le=1,
        description="Stop when more than this share of the images cannot be used; checked once 1,000 images "
        "were tried, and at the end.",
    )
    decode_timeout_s: Annotated[float, Incidental] = Field(
        60.0, gt=0, description="Seconds that decoding one image may take; after that it is rejected."
    )


class FeaturesSettings(ReadingSettings, BackboneSettings):
    """How images become features."""

    max_pixels: int = Field(
        100_000_000,
        ge=1,
        description="Reject images that need memory for more pixels than this; JPEGs that are decoded at "
        "reduced size count with that size.",
    )
    max_bytes: int = Field(268_435_456, ge=1, description="Reject image files of more bytes than this, unread.")
