"""The photos that a command line names: files, globs, folders, addresses in buckets, and lines of standard input."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from fruits_pipeline.errors import InputError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.fetch import Wanted
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import parse_source

_STANDARD_INPUT = "-"


def named_photos(
    words: Iterable[str], storage: StorageSettings, lines: Iterable[str] | None = None
) -> Iterator[Wanted]:
    """The photos in the order of their words, those of a folder or a glob in the order of their paths.

    Of a folder the images are taken that ``run`` would take; a file is taken whatever its name.

    Args:
        words: Plain paths and addresses; ``-`` stands for the lines of standard input.
        storage: How buckets are reached.
        lines: Other lines than those of standard input.

    Raises:
        InputError: When a folder or a glob holds no image, or cannot be listed.
    """
    for word in words:
        if word == _STANDARD_INPUT:
            given = map(str.strip, sys.stdin if lines is None else lines)
            yield from named_photos((line for line in given if line), storage, ())
        else:
            yield from _of_word(word, storage)


def _of_word(word: str, storage: StorageSettings) -> Iterator[Wanted]:
    address = uri.normalise(word)
    source = parse_source(word, storage)
    if not source.pattern and not _is_folder(address, storage):
        yield Wanted(address, 0)
        return
    from fruits_pipeline.ingest.listing import listed  # late, because single photos need none of it

    rows = (row for table in listed(source) for row in table.to_pylist() if row["skip_reason"] is None)
    photos = sorted((row["path"], row["length"]) for row in rows)
    if not photos:
        raise InputError(f"expected photos in {word}, found none; name files, folders or globs of them")
    yield from (Wanted(*photo) for photo in photos)


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
