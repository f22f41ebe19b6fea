"""The photos that a command line names: files, globs, folders, addresses in buckets, and lines of standard input."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from fruits_pipeline.errors import InputError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.fetch import Wanted
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import parse_source

_STANDARD_INPUT = "-"


def named_photos(words: Iterable[str], storage: StorageSettings) -> Iterator[Wanted]:
    """The photos in the order of their words, those of a folder or a glob in the order of their paths.

    Of a folder the images are taken that ``run`` would take; a file is taken whatever its name. Folders and globs are
    listed before the first photo is given.

    Args:
        words: Plain paths and addresses; ``-`` stands for the lines of standard input, each that of one photo.
        storage: How buckets are reached.

    Raises:
        InputError: When a folder or a glob holds no image, or cannot be listed.
    """
    named = [None if word == _STANDARD_INPUT else list(_of_word(word, storage)) for word in words]
    return chain.from_iterable(_of_lines() if photos is None else photos for photos in named)


def _of_lines() -> Iterator[Wanted]:
    """The photos of standard input's lines, whose ends may be those of Windows."""
    return (_single(uri.normalise(line)) for line in (line.rstrip("\r\n") for line in sys.stdin) if line.strip())


def _single(address: str) -> Wanted:
    """One photo; the length of a local one tells how many may be held at a time."""
    if uri.scheme(address) == "file":
        with contextlib.suppress(OSError, ValueError):
            return Wanted(address, Path(uri.local_path(address)).stat().st_size)
    return Wanted(address, 0)


def _of_word(word: str, storage: StorageSettings) -> Iterable[Wanted]:
    address = uri.normalise(word)
    source = parse_source(word, storage)
    if not source.pattern and not _is_folder(address, storage):
        return [_single(address)]
    from fruits_pipeline.ingest.listing import listed  # late, because single photos need none of it

    try:
        rows = [row for table in listed(source) for row in table.to_pylist() if row["skip_reason"] is None]
    except InputError as error:
        raise InputError(str(error).removesuffix("; check --data-source")) from error
    photos = sorted((row["path"], row["length"]) for row in rows)
    if not photos:
        raise InputError(f"expected photos in {word}, found none; name files, folders or globs of them")
    return [Wanted(*photo) for photo in photos]


def _is_folder(address: str, storage: StorageSettings) -> bool:
    """Whether a local path is a folder, or objects lie below an address of a bucket that is no object itself."""
    if uri.scheme(address) == "file":
        return Path(uri.local_path(address)).is_dir()
    place, _, name = address.rpartition("/")
    if place.endswith("/"):  # the bucket itself
        return True
    return (
        open_store(place, storage).stat(name) is None and next(open_store(address, storage).objects(), None) is not None
    )
