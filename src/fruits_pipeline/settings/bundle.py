"""Settings of a bundle: the release that it is for, its folder, and its upload."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.features import EngineName
from fruits_pipeline.settings.room import Room
from fruits_pipeline.settings.submit import Arch


class BundleSettings(Room):
    """Settings of the bundle that ``bundle`` makes."""

    target: str = Field(
        description="Release that it is for, a name in config/releases.json: emr-7.14, emr-spark-8.1, dataproc-2.3, "
        "dataproc-3.0, dataproc-serverless-2.3 or dataproc-serverless-3.0."
    )
    arch: Arch = Field("x86_64", description="Processor of the nodes.")
    engine: EngineName = Field(
        "openvino", description="tensorflow: bring it along, for jobs that take --engine tensorflow."
    )
    bundle_python: Annotated[bool, Parameter(negative="")] = Field(
        False, description="Bring an interpreter along, for images without the right one."
    )
    bundle_dir: Path | None = Field(None, description="Folder to write to; by default dist/TARGET-ARCH.")
    upload: str | None = Field(None, description="Folder in a bucket to upload to; what is there is skipped.")
