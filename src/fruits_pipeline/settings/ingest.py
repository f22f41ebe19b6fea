"""Settings of the manifest: where the images are, and how they are sampled and grouped."""

from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.room import Incidental, Room

LabelFolder = Literal["last", "first", "none"]


class IngestSettings(Room):
    """Which images are in the manifest."""

    data_source: str = Field(
        min_length=1,
        description="Folder of images, a glob of folders such as 'data/*', a table of paths (.csv, .tsv or "
        ".parquet), or what 'pack' wrote.",
    )
    label_folder: LabelFolder = Field(
        "last",
        description="Which folder above an image is its label, of those below train/, test/ and the like "
        "(else below --data-source): the last one, the first one, or none.",
    )
    unlabelled: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = Field(
        (),
        description="Images that are only predicted: a glob of images, or of folders above them, below "
        "--data-source, such as 'mixed/*'. They have no label and no split; repeatable.",
    )
    include: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = Field(
        (), description="Glob of file names to take for images too, such as '*.dat'; repeatable."
    )
    sample: int | None = Field(None, ge=1, description="Take only this many images of each label.")
    sample_seed: int = Field(42, description="Seed of the sample.")
    wave_images: Annotated[int | None, Incidental] = Field(
        None,
        ge=1,
        description="Images in one batch of work. Each finished batch is saved; two are computed at a time. "
        "By default some 750 for each core of this machine, or 10,000 for each core of a "
        "cluster, at most 200,000.",
    )
