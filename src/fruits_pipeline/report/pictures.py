"""Thumbnails: images of the source read again, decoded apart, made small, and encoded anew without metadata."""

import hashlib
import io
import logging
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fruits_pipeline.errors import SettingsError, StorageError
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.images.outcome import Rejected
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.fetch import Wanted, Window, fetched
from fruits_pipeline.storage.single import Unread

log = logging.getLogger(__name__)

# Pixels of a thumbnail's longer side, twice what the page gives it on a plain screen, and of the shorter one at least.
SIDE: Final = 128
_LEAST_SIDE: Final = 12
MOST_BYTES: Final = 3_000
_QUALITIES: Final = (72, 50, 30, 10)
# How many times a difference is enlarged, so that one of a few grey levels is seen.
ENLARGED: Final = 4
# The page is worth waiting for so long, and its pictures are not worth more.
_MOST_S: Final = 60.0
_DECODE_S: Final = 10.0
NOT_SHOWN: Final = {
    "missing": "no longer there",
    "forbidden": "may not be read",
    "changed": "changed since the run",
    "none": "left out by --report-images none",
    "unreachable": "its source cannot be reached",
    "late": "left out to save time",
}


@dataclass(frozen=True)
class Thumbnail:
    """A picture as a data address, with its size in pixels, or the reason why there is none."""

    address: str | None = None
    width: int = SIDE
    height: int = SIDE
    reason: str = ""


@dataclass
class Album:
    """Thumbnails by path, and the pixels, uint8 (S, S, 3), from which differences are made."""

    thumbnails: dict[str, Thumbnail] = field(default_factory=dict)
    pixels: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def shown(self) -> int:
        """Images that are shown."""
        return sum(one.address is not None for one in self.thumbnails.values())

    def of(self, path: str | None) -> Thumbnail:
        """The thumbnail of an image."""
        return self.thumbnails.get(path or "", Thumbnail(reason="not in the tables"))

    def difference(self, first: str | None, second: str | None) -> Thumbnail:
        """Where two images differ, dark on white, ``ENLARGED`` times."""
        one, other = self.pixels.get(first or ""), self.pixels.get(second or "")
        if one is None or other is None:
            return Thumbnail(reason="one of them is missing")
        apart = np.abs(one.astype(np.int16) - other.astype(np.int16)).mean(axis=2)
        grey = (255 - np.minimum(255, ENLARGED * apart)).astype(np.uint8)
        size = self.of(first)
        return encoded(np.repeat(grey[:, :, None], 3, axis=2), size.width, size.height)


def left_out(paths: Iterable[str]) -> Album:
    """An album of none of the pictures, as ``--report-images none`` wants it."""
    return Album(dict.fromkeys(paths, Thumbnail(reason=NOT_SHOWN["none"])))


def album_of(
    paths: Iterable[str], digests: Mapping[str, str], reading: FeaturesSettings, storage: StorageSettings
) -> Album:
    """Thumbnails of images that are read again; each that is not as it was has a reason in its place.

    Args:
        paths: Addresses of the images.
        digests: SHA-256 of each content when it was used; one that is not known is not compared.
        reading: How the run treated images.
        storage: How buckets are reached.
    """
    album, until_s = Album(), time.monotonic() + _MOST_S
    wanted = list(dict.fromkeys(paths))
    try:
        for path, found in zip(wanted, _read(wanted, digests, reading, storage, until_s), strict=False):
            if isinstance(found, str):
                album.thumbnails[path] = Thumbnail(reason=NOT_SHOWN.get(found, found.replace("_", " ")))
                continue
            pixels, width, height = found
            album.pixels[path] = pixels
            album.thumbnails[path] = encoded(pixels, *fitted(width, height))
    except (StorageError, SettingsError) as error:
        log.warning("pictures are left out of the page because their source cannot be reached: %s", error)
    why = "late" if time.monotonic() > until_s else "unreachable"
    for path in wanted:
        album.thumbnails.setdefault(path, Thumbnail(reason=NOT_SHOWN[why]))
    return album


_Pixels = tuple[NDArray[np.uint8], int, int]


def _read(
    paths: list[str], digests: Mapping[str, str], reading: FeaturesSettings, storage: StorageSettings, until_s: float
) -> Iterator[_Pixels | str]:
    """The pixels of each image with its own width and height, or why there are none; ends at ``until_s``."""
    wanted = (Wanted(path, 0) for path in paths)
    with (
        IsolatedDecoder(min(_DECODE_S, reading.decode_timeout_s)) as decoder,
        closing(fetched(wanted, storage, Window(max_bytes=reading.max_bytes), judge=False)) as contents,
    ):
        for path, content in zip(paths, contents, strict=True):
            if time.monotonic() > until_s:
                return
            if isinstance(content, Unread):
                yield content.reason
            elif digests.get(path, "") not in {"", hashlib.sha256(content).hexdigest()}:
                yield "changed"
            else:
                image = decoder.decode(content, SIDE, reading.max_pixels)
                yield (image.reason.value if isinstance(image, Rejected) else (image.pixels, image.width, image.height))


def fitted(width: int, height: int) -> tuple[int, int]:
    """The size of a thumbnail of an image of that size.

    >>> fitted(200, 100), fitted(10, 4000)
    ((128, 64), (12, 128))
    """
    longer = max(width, height, 1)
    return max(_LEAST_SIDE, round(SIDE * width / longer)), max(_LEAST_SIDE, round(SIDE * height / longer))


def encoded(pixels: NDArray[np.uint8], width: int, height: int) -> Thumbnail:
    """A thumbnail of that size as WebP, of at most ``MOST_BYTES`` where a lower quality gets there.

    Args:
        pixels: uint8 (S, S, 3).
        width: Pixels from left to right.
        height: Pixels from top to bottom.
    """
    small = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    content = b""
    for quality in _QUALITIES:
        file = io.BytesIO()
        small.save(file, "WEBP", quality=quality, method=4)
        content = file.getvalue()
        if len(content) <= MOST_BYTES:
            break
    return Thumbnail(f"data:image/webp;base64,{b64encode(content).decode()}", width, height)
