"""What the images are like: the facts in the marker of ``examine`` and in ``run.json``."""

from pydantic import BaseModel, ConfigDict


class Twins(BaseModel):
    """Pairs of images that look the same: each with the first one, by path, that has its hash.

    Attributes:
        pairs: All pairs.
        same_content: Those of the same bytes.
        across_sides: Those of two sides, of train, validation and test.
        two_labels: Those of two labels.
    """

    model_config = ConfigDict(frozen=True)

    pairs: int = 0
    same_content: int = 0
    across_sides: int = 0
    two_labels: int = 0


class Sizes(BaseModel):
    """Widths and heights in pixels.

    Attributes:
        distinct: How many different ones.
        smallest: Of the image with the fewest pixels.
        median: Of the image with as many pixels as half of the others have at most.
        largest: Of the image with the most pixels.
    """

    model_config = ConfigDict(frozen=True)

    distinct: int
    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]


class Examined(BaseModel):
    """What the images are like.

    Attributes:
        images: Images that were read.
        twins: Pairs that look the same, within sides and across.
        sizes: Their sizes.
        poor: Images of each issue, told or not; an image may have several.
    """

    model_config = ConfigDict(frozen=True)

    images: int
    twins: Twins
    sizes: Sizes
    poor: dict[str, int]
