"""The last lines of the driver's log beside the failure of a job that is followed."""

import zlib
from typing import Final

from fruits_pipeline.errors import FruitsError, JobError
from fruits_pipeline.storage.store import Store
from fruits_pipeline.submit.platform import Opened, Platform

LINES: Final = 25
# Bytes of text at a log's end in which these lines stand.
_TAIL: Final = 1 << 16
# Bytes of a compressed log that are worth reading for its last lines.
_MOST: Final = 64 << 20
_GZIP: Final = 16 + zlib.MAX_WBITS


def with_driver_log(error: JobError, platform: Platform, started: str, opened: Opened) -> JobError:
    """``error`` with the last lines of the driver's log, and the job's page; a log that cannot be read hides nothing.

    Args:
        error: The failure.
        platform: Where the job ran.
        started: The platform's id of it.
        opened: Opens the store of an address.
    """
    try:
        lines = platform.driver_log(started, opened)
        told = "\n".join(f"  | {line}" for line in lines) or "  | nothing yet: logs may come minutes after the end"
        told += f"\n  page: {platform.page(started)}"
    except FruitsError as fault:
        told = f"  | not read: {fault}"
    return JobError(f"{error}\n  last lines of the driver's log:\n{told}", error.exit_code)


def gzip_tail(store: Store, key: str) -> list[str]:
    """The last lines of a log that is compressed, also of one that is still written; empty where there is none.

    Raises:
        StorageError: When it cannot be read.
        DatasetError: When it is no gzip.
    """
    found = store.stat(key)
    if found is None:
        return []
    if found.length > _MOST:
        return [f"the log has {found.length >> 20} MiB, compressed: {store.root}/{key}"]
    return last_lines(_inflated(store.read(key)))


def last_lines(text: str) -> list[str]:
    r"""The last lines that say something.

    >>> last_lines("one\n\ntwo  \n")
    ['one', 'two']
    """
    return [line.rstrip() for line in text.splitlines() if line.strip()][-LINES:]


def _inflated(content: bytes) -> str:
    """The end of the text of a gzip of one or several members."""
    text = b""
    while content:
        member = zlib.decompressobj(_GZIP)
        try:
            while content and not member.eof:
                text = (text + member.decompress(content, _TAIL))[-_TAIL:]
                content = member.unconsumed_tail
            text = (text + member.flush())[-_TAIL:]
        except zlib.error:
            # The last member may be cut short, and others appended after what was readable.
            break
        content = member.unused_data
    return text.decode(errors="replace")
