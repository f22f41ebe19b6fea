"""Settings of ``verify``."""

from typing import Annotated

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.room import Incidental, Room


class VerifySettings(Room):
    """How closely an output is looked at."""

    deep: Annotated[bool, Incidental, Parameter(negative="")] = Field(
        False,
        description="Read every byte: check checksums, columns and rows of all files, and that each image is "
        "there once.",
    )
