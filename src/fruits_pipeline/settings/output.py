"""Settings of the output: where the results go, and what may be replaced there."""

from typing import Annotated

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.room import Incidental, Room


class OutputPlaceSettings(Room):
    """Where an output lies."""

    output_uri: Annotated[str, Incidental] = Field(
        min_length=1, description="Folder for all results: a path, s3://BUCKET/FOLDER or gs://BUCKET/FOLDER."
    )


class OutputSettings(OutputPlaceSettings):
    """Where datasets, models and ``run.json`` are written."""

    overwrite: Annotated[bool, Incidental, Parameter(negative="")] = Field(
        False,
        description="Replace results that were made with other settings, and what was made from them.",
    )
