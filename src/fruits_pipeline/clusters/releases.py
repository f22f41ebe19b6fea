"""The releases of managed Spark that a bundle can be made for, read from ``config/releases.json``."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.settings.submit import Arch


class Release(BaseModel):
    """One release: ``release`` is the vendor's name of it, ``constraints`` names the file of pinned versions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    platform: Literal["emr", "dataproc", "dataproc-serverless"]
    release: str
    spark: str
    python: str
    glibc: str
    arches: tuple[Arch, ...]
    constraints: str


def releases() -> dict[str, Release]:
    """Every release by the name that ``--target`` takes."""
    content = json.loads((config_folder() / "releases.json").read_text(encoding="utf-8"))
    return {name: Release.model_validate(release) for name, release in content.items()}
