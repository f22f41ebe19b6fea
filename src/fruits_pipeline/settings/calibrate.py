"""Settings of the calibration: which images show the int8 model the ranges of values."""

from pydantic import Field

from fruits_pipeline.settings.room import Room


class CalibrateSettings(Room):
    """The calibration sample; it is taken from everywhere but Test folders."""

    data_source: str = Field(min_length=1, description="Folder of images, or a glob of folders such as 'data/*'.")
    calibration_images: int = Field(300, ge=1, le=10_000, description="Images to calibrate with.")
    calibration_seed: int = Field(42, description="Seed of their choice.")
