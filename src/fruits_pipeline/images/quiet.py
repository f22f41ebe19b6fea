"""Pillow without its own limit and warnings, while an image is decoded.

Pillow's pixel limit (``Image.MAX_IMAGE_PIXELS``) and Python's warning filters belong to the whole process.
They are borrowed: the first thread to enter sets them, the last to leave puts them back. A thread that
changes them itself in between loses its change.
"""

import re
import threading
import warnings
from typing import Any, cast

from PIL import Image

# In the form of the entries of ``warnings.filters``: action, message, category, module, line.
_IGNORE_PILLOW = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


def _filters() -> list[Any]:
    """Python's warning filters, first come first served.

    Entered by hand, because ``warnings.filterwarnings`` makes Python forget which warnings it has
    shown already: every decoded image would let the others' warnings be printed again.
    """
    return cast("list[Any]", warnings.filters)


class _Quiet:
    """A context manager that many threads may be inside of at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: int | None = None
        self._entered: list[Any] = []

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._entered = _filters()
            self._entered.insert(0, _IGNORE_PILLOW)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside > 0:
                return
            Image.MAX_IMAGE_PIXELS = self._limit
            # Two lists where ``warnings.catch_warnings`` put a copy in place meanwhile.
            for filters in (self._entered, _filters()):
                if _IGNORE_PILLOW in filters:
                    filters.remove(_IGNORE_PILLOW)


QUIET = _Quiet()
"""Enter it around calls of Pillow: no pixel limit, no ``DecompressionBombWarning``, no metadata warnings."""
