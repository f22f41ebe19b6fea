"""Settings of ``pack``."""

from typing import Annotated

from pydantic import Field

from fruits_pipeline.settings.room import Incidental, Room


class PackSettings(Room):
    """How a source is rewritten as Parquet."""

    pack_file_bytes: Annotated[int, Incidental] = Field(
        134_217_728, ge=1_048_576, description="Bytes of images in one Parquet file."
    )
