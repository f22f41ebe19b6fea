"""Settings of the demo: how many images are drawn."""

from typing import Annotated

from pydantic import Field

from fruits_pipeline.settings.room import Incidental, Room


class DemoSettings(Room):
    """The drawn sample."""

    images_per_label: Annotated[int, Incidental] = Field(60, ge=8, description="Images to draw of each label.")
    drawing_seed: Annotated[int, Incidental] = Field(42, description="Seed by which they are drawn.")
