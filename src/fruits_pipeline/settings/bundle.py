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
        description="Release of the cluster, a name in config/releases.json: emr-7.14, emr-spark-8.1, dataproc-2.3, "
        "dataproc-3.0, dataproc-serverless-2.3 or dataproc-serverless-3.0."
    )
    arch: Arch = Field("x86_64", description="Processor architecture of the cluster's nodes.")
    engine: EngineName = Field(
        "openvino", description="tensorflow: include TensorFlow, for jobs with --engine tensorflow."
    )
    bundle_python: Annotated[bool, Parameter(negative="")] = Field(
        False, description="Include a Python interpreter, for clusters whose images lack the right version."
    )
    bundle_dir: Path | None = Field(None, description="Folder to write to; by default dist/TARGET-ARCH.")
    upload: str | None = Field(
        None, description="Folder in a bucket to upload the bundle to; files that are there already are skipped."
    )
