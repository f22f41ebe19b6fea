"""A source of images: a folder, or a glob of folders such as ``data/*``."""

import fnmatch
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fruits_pipeline.errors import FruitsError, InputError, SettingsError, StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Found

log = logging.getLogger(__name__)

_DEFAULTS = StorageSettings()
# Seconds between log lines of a listing.
_TELL_EVERY_S = 10.0
_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Source:
    """``root`` is the URI before the first wildcard, ``pattern`` the parts from there on ("" for a folder)."""

    root: str
    pattern: str
    storage: StorageSettings = field(default=_DEFAULTS, repr=False)

    def check(self) -> None:
        """Refuses at once what could not be listed later.

        Raises:
            InputError: When the root is no folder, or a bucket's folder that is empty or cannot be listed.
            SettingsError: When no store serves the address.
        """
        if uri.scheme(self.root) != "file":
            if next(self._found(open_store(self.root, self.storage).objects()), None) is None:
                raise InputError(f"expected a folder of images at {self.root}, found no object; check --data-source")
            return
        folder = Path(uri.local_path(self.root))
        if not folder.is_dir():
            there = "a file" if folder.exists() else "nothing"
            raise InputError(f"expected a folder of images at {self.root}, found {there}; check --data-source")

    def objects(self) -> Iterator[Found]:
        """Every object of the source, flat, in any order.

        Raises:
            InputError: When the root is no folder that can be read.
        """
        self.check()
        wanted = self._wanted()
        listed = _logged(self._found(open_store(self.root, self.storage).objects_in_parallel()))
        yield from (found for found in listed if matches(found.key.split("/"), wanted)) if wanted else listed

    def _found(self, listing: Iterator[Found]) -> Iterator[Found]:
        try:
            yield from listing
        except StorageError as error:
            raise unreadable(error) from error

    def may_hold(self, key: str) -> bool:
        """Whether ``key`` or something below it can match the pattern."""
        return _agree(key.split("/"), self._wanted())

    def _wanted(self) -> list[str]:
        return self.pattern.split("/") if self.pattern else []

    def __str__(self) -> str:
        """The source as the user would spell it."""
        return uri.join(self.root, self.pattern) if self.pattern else self.root


def unreadable(error: StorageError) -> FruitsError:
    """What to raise where a source cannot be read: ``error`` itself where a right is missing on a bucket."""
    return error if error.lacks else InputError(f"expected a source that can be read, but {error}")


def parse_source(address: str, storage: StorageSettings = _DEFAULTS) -> Source:
    """The source that ``address`` names; a local folder whose own name has wildcards is taken as it is.

    >>> parse_source("file:///data/fruits-*/Training")
    Source(root='file:///data', pattern='fruits-*/Training')
    """
    whole = uri.normalise(address)
    if uri.scheme(whole) == "file" and Path(uri.local_path(whole)).exists():
        return Source(whole, "", storage)
    parts = whole.split("/")
    first = next((n for n, part in enumerate(parts) if _WILDCARD.search(part)), len(parts))
    return Source(uri.normalise("/".join(parts[:first])), "/".join(parts[first:]), storage)


def refuse_overlap(source: Source, output: str) -> None:
    """Raises where results would be taken for images at the next run, or the reverse.

    Raises:
        SettingsError: When the output is inside the source, or the source inside the output.
    """
    target = uri.normalise(output)
    if uri.scheme(source.root) != uri.scheme(target):
        return
    read, written = _real(source.root), _real(target)
    rest = uri.below(written, read)
    inside = rest is not None and (not rest or source.may_hold(rest))
    if inside or uri.below(read, written) is not None:
        raise SettingsError(
            f"expected --output-uri outside --data-source and the reverse, found source {source} and output "
            f"{target}; take another --output-uri"
        )


def _real(address: str) -> str:
    """The URI with links resolved, where the file system has any."""
    if uri.scheme(address) != "file":
        return address
    return f"file://{Path(uri.local_path(address)).resolve()}"


def _logged(listing: Iterator[Found]) -> Iterator[Found]:
    """The listing as it is, with a log line every ten seconds."""
    started_s = told_s = time.monotonic()
    for number, found in enumerate(listing):
        now_s = time.monotonic()
        if now_s - told_s >= _TELL_EVERY_S:
            told_s = now_s
            log.info("listed objects=%d objects_per_s=%.0f", number, number / (now_s - started_s))
        yield found


def matches(parts: list[str], wanted: list[str]) -> bool:
    """Whether the leading parts of a key match the parts of a pattern, so that a folder's match holds for all in it.

    >>> matches(["new", "day 1", "x.jpg"], ["n*", "day ?"]), matches(["new"], ["new", "*"])
    (True, False)
    """
    return len(parts) >= len(wanted) and _agree(parts, wanted)


def _agree(parts: list[str], wanted: list[str]) -> bool:
    """Whether parts and pattern agree as far as both go."""
    return all(fnmatch.fnmatchcase(part, pattern) for part, pattern in zip(parts, wanted, strict=False))
