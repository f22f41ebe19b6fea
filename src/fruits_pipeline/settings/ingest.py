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
        description="The folder below the split folder (else below --data-source) that is an image's label. 'none': "
        "no folder is.",
    )
    unlabelled: Annotated[tuple[str, ...], Parameter(negative="")] = Field(
        (),
        description="Glob of images, or of folders above them, below --data-source, such as 'mixed/*': without label "
        "and split, so that they are only predicted; repeatable.",
    )
    include: Annotated[tuple[str, ...], Parameter(negative="")] = Field(
        (), description="Glob of names, such as '*.dat', that are taken for images too; repeatable."
    )
    sample: int | None = Field(None, ge=1, description="Take only this many images of each label.")
    sample_seed: int = Field(42, description="Seed of the sample.")
    wave_images: Annotated[int | None, Incidental] = Field(
        None,
        ge=1,
        description="Images in one wave of work, two of which are in flight; by default some 750 for each core of this "
        "machine, 10,000 for each of a cluster, at most 200,000.",
    )
