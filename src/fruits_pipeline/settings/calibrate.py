"""Settings of the calibration: which images show the int8 model the ranges of values."""

from pydantic import Field

from fruits_pipeline.settings.room import Room


class CalibrateSettings(Room):
    """The calibration sample; it holds no image that a later split could put on the test side."""

    data_source: str = Field(
        min_length=1,
        description="Folder of images, a glob of folders such as 'data/*', or a table of paths (.csv, .tsv or "
        ".parquet).",
    )
    calibration_images: int = Field(300, ge=1, le=10_000, description="Images to calibrate with.")
    calibration_seed: int = Field(42, description="Seed by which they are chosen.")
