"""How many requests this process has sent to buckets, by kind, since its start or the last ``take``."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

# As clouds bill them: LIST and PUT (with POST and copies) are dear, GET and HEAD cheap, DELETE is free.
KINDS: Final = ("list", "put", "get", "head", "delete")
_lock: Final = threading.Lock()
_counts: Final[Counter[str]] = Counter()


def note(kind: str) -> None:
    """Counts one request, also one that is sent again; from any thread."""
    with _lock:
        _counts[kind] += 1


def note_all(counts: Mapping[str, int]) -> None:
    """Counts requests of other processes."""
    with _lock:
        _counts.update(counts)


def so_far() -> dict[str, int]:
    """The counts of all kinds."""
    with _lock:
        return {kind: _counts[kind] for kind in KINDS}


def take() -> Counter[str]:
    """The counts, which then begin anew."""
    with _lock:
        found = Counter(_counts)
        _counts.clear()
        return found


def kind_of(method: str, url: str) -> str:
    """The kind of a request to S3, or to the JSON interface of GCS.

    >>> kind_of("GET", "https://b.s3.amazonaws.com/?list-type=2&prefix=a"), kind_of("POST", "https://b.s3/?delete")
    ('list', 'delete')
    >>> [kind_of("GET", f"https://storage.googleapis.com{path}") for path in
    ...  ("/storage/v1/b/b/o?prefix=a", "/storage/v1/b/b/o/a?alt=json", "/download/storage/v1/b/b/o/a?alt=media")]
    ['list', 'head', 'get']
    """
    parts = urlsplit(url)
    if method == "GET" and ("list-type=" in parts.query or parts.path.endswith("/o")):
        return "list"
    if method == "GET" and parts.path.startswith("/storage/v1/") and "alt=media" not in parts.query:
        return "head"
    if method == "POST" and parts.query == "delete":
        return "delete"
    return {"GET": "get", "HEAD": "head", "DELETE": "delete"}.get(method, "put")
