"""Train or test by the content, so that byte-identical images never stand on both sides."""

from math import ceil

from fruits_pipeline.schemas import TEST, TRAIN
from fruits_pipeline.settings.reduce import FOLDER_SPLIT

DEFAULT_SHARE = 0.8
HASH_DIGITS = 8
# Calibration takes contents that are for training by this share and by every larger one.
CALIBRATED_SHARE = 0.5


def split_of(content_sha256: str, share: float) -> str:
    """``train`` for a ``share`` in (0, 1) of all contents, ``test`` for the others.

    >>> split_of("00" * 32, 0.8), split_of("ff" * 32, 0.8)
    ('train', 'test')
    """
    return TRAIN if int(content_sha256[:HASH_DIGITS], 16) < hash_limit(share) else TEST


def hash_limit(share: float) -> int:
    """The number below which the leading digits of a training image's hash stay.

    >>> hash_limit(0.5) == 2**31
    True
    """
    return ceil(share * float(16**HASH_DIGITS))


def hash_share(train_split: str | float, *, any_split: bool) -> float | None:
    """The training share where the content decides for all images; None where the splits of folders or table do.

    Args:
        train_split: As in the settings: ``folder``, or the share of images for training.
        any_split: Whether folders or table give any image a split.

    >>> hash_share("folder", any_split=True), hash_share("folder", any_split=False), hash_share(0.7, any_split=True)
    (None, 0.8, 0.7)
    """
    return None if train_split == FOLDER_SPLIT and any_split else share_of(train_split)


def share_of(train_split: str | float) -> float:
    """The training share wherever the content decides."""
    return DEFAULT_SHARE if isinstance(train_split, str) else train_split
