"""Settings of the look at the images themselves: when a picture is poor, and when two are near-twins."""

from pydantic import Field

from fruits_pipeline.settings.room import Room


# What is dark, bright or narrow is cleanvision's (0.3.7). Entropy and sharpness are of pictures of 112 px: of 13,309
# images of Fruits-360 the least are 2.1 bits and 6.9 grey levels. Twins: of 300 of them encoded anew at JPEG quality 60
# 90 of 100 are told, at 0.7 and 2 times the size 98 and 100, at 0.8 and 1.1 times the brightness all, cut by 2 % 32; of
# the pairs that are told 99.7 % have one label (`benchmarks/looks.py`, 2026-11-26).
class ExamineSettings(Room):
    """What is told of pictures and of pairs of them."""

    dark_below: float = Field(
        0.32, ge=0, le=1, description="A picture is dark where 99 % of its pixels have a luminance below this, of 1."
    )
    bright_above: float = Field(
        0.95, ge=0, le=1, description="A picture is bright where 95 % of its pixels have a luminance above this, of 1."
    )
    plain_below: float = Field(
        2.0, ge=0, le=8, description="A picture is nearly empty where its luminances have fewer bits of entropy."
    )
    blurred_below: float = Field(
        4.0, ge=0, description="A picture is blurred where edges in its sharpest places are weaker, in grey levels."
    )
    narrow_below: float = Field(
        0.35,
        ge=0,
        le=1,
        description="A picture is of odd shape where its short side is less than this of its long one.",
    )
    twin_cosine: float = Field(
        0.7, ge=-1, le=1, description="Near-twins have components with at least this cosine, and hashes as below."
    )
    twin_bits: int = Field(
        4, ge=0, le=64, description="Near-twins have perceptual hashes that differ in at most so many of 64 bits."
    )
