"""The releases of managed Spark that the job is packaged for: ``config/releases.json``, typed."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.settings.submit import Arch


class Release(BaseModel):
    """What a release has: ``release`` as its vendor spells it, ``constraints`` our file of pinned versions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    platform: Literal["emr", "dataproc"]
    release: str
    spark: str
    python: str
    glibc: str
    arches: tuple[Arch, ...]
    constraints: str


def releases() -> dict[str, Release]:
    """Every target by its name."""
    content = json.loads((config_folder() / "releases.json").read_text(encoding="utf-8"))
    return {name: Release.model_validate(release) for name, release in content.items()}
