"""What an object's key below the source's root says: its label, its split, and why it is skipped."""

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from fruits_pipeline.schemas import TEST, TRAIN

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
_SPLIT_FOLDERS = {"training": TRAIN, "test": TEST}


class SkipReason(StrEnum):
    """Why an object that was found is not read."""

    HIDDEN = "hidden"
    """It, or a folder above it, has a name that begins with a dot or an underscore."""
    NOT_SAMPLED = "not_sampled"
    """``--sample`` took others of its label."""
    NOT_AN_IMAGE_NAME = "not_an_image_name"
    """Its name ends with none of the known suffixes."""


class Meaning(NamedTuple):
    """Label, split (``train``, ``test`` or None) and skip reason of one object."""

    label: str | None
    split: str | None
    skip_reason: SkipReason | None


def meaning(key: str) -> Meaning:
    """What ``key``, the part of a path below the source's root, says.

    The label is the last folder that is no Training or Test folder, the split the last one that is.

    >>> meaning("Training/Apple Red 1/0_100.jpg")
    Meaning(label='Apple Red 1', split='train', skip_reason=None)
    >>> meaning("_old/notes.txt").skip_reason
    <SkipReason.HIDDEN: 'hidden'>
    """
    folder, _, name = key.rpartition("/")
    label, split, hidden = _of_folder(folder)
    return Meaning(label, split, SkipReason.HIDDEN if hidden else _skip_reason(name))


@lru_cache(maxsize=4096)
def _of_folder(folder: str) -> tuple[str | None, str | None, bool]:
    """Label and split that a folder gives to its images, and whether it is hidden."""
    folders = folder.split("/") if folder else []
    label = next((part for part in reversed(folders) if part.lower() not in _SPLIT_FOLDERS), None)
    splits = (_SPLIT_FOLDERS.get(part.lower()) for part in reversed(folders))
    return label, next((found for found in splits if found), None), any(part.startswith((".", "_")) for part in folders)


def _skip_reason(name: str) -> SkipReason | None:
    if name.startswith((".", "_")):
        return SkipReason.HIDDEN
    _, dot, suffix = name.rpartition(".")
    if f"{dot}{suffix.lower()}" not in IMAGE_SUFFIXES:
        return SkipReason.NOT_AN_IMAGE_NAME
    return None
