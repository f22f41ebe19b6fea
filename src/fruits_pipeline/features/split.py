"""Train or test by the content, so that byte-identical images never stand on both sides."""

from fruits_pipeline.schemas import TEST, TRAIN
from fruits_pipeline.settings.features import FOLDER_SPLIT

DEFAULT_SHARE = 0.8
_HEX_DIGITS = 8


def split_of(content_sha256: str, share: float) -> str:
    """``train`` for a ``share`` in (0, 1) of all contents, ``test`` for the others.

    >>> split_of("00" * 32, 0.8), split_of("ff" * 32, 0.8)
    ('train', 'test')
    """
    return TRAIN if int(content_sha256[:_HEX_DIGITS], 16) < share * 16**_HEX_DIGITS else TEST


def by_folder(train_split: str | float) -> bool:
    """Whether Training and Test folders decide, where there are any."""
    return train_split == FOLDER_SPLIT


def share_of(train_split: str | float) -> float:
    """The training share of the images whose folder does not decide."""
    return DEFAULT_SHARE if isinstance(train_split, str) else train_split
