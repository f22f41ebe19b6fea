"""The corpus of kinds of files: every one is made here, the same in every run, by Pillow or by hand."""

from corpus.jpegs import jpegs
from corpus.others import others


def images() -> dict[str, bytes]:
    """A file for each kind that can be made without extras."""
    return jpegs() | others()
