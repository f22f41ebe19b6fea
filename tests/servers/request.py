"""What a proxy sees of one request: its kind as storage counts it, and the key that it asks for."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_JSON_OBJECT = re.compile(r"^/(?:download/)?storage/v1/b/[^/]+/o/(.+)$")
_JSON_LIST = re.compile(r"^/storage/v1/b/[^/]+/o$")
_JSON_BUCKET = re.compile(r"^/storage/v1/b/[^/]+$")
_S3_LIST = re.compile(r"(^|&)(list-type|prefix|delimiter|max-keys|marker)=")


@dataclass(frozen=True)
class Request:
    """One request: ``key`` is the decoded name, "" for a bucket, ``target`` the address as it was asked for.

    ``kind`` is GET, HEAD, PUT, POST or DELETE for an object; LIST; BUCKET for a look at a bucket itself.
    """

    method: str
    kind: str
    key: str
    headers: dict[str, str]
    target: str = ""


def parse_head(head: bytes) -> tuple[str, dict[str, str]]:
    """The first line and the headers (names in lower case) of a request or a response."""
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}


def parse_request(head: bytes) -> Request:
    """A request by its head, for S3 with path style, and for both of GCS' interfaces.

    >>> parse_request(b"GET /bucket/a%20b/c.jpg HTTP/1.1\\r\\n\\r\\n").key
    'a b/c.jpg'
    >>> parse_request(b"GET /bucket?list-type=2&prefix=a HTTP/1.1\\r\\n\\r\\n").kind
    'LIST'
    >>> parse_request(b"GET /storage/v1/b/bucket/o/a%2Fb?alt=json HTTP/1.1\\r\\n\\r\\n").kind
    'HEAD'
    """
    first, headers = parse_head(head)
    method, target, _ = first.split(" ", 2)
    parts = urlsplit(target)
    kind = method
    if found := _JSON_OBJECT.match(parts.path):
        key = unquote(found[1])
        if method == "GET" and "alt=media" not in parts.query:
            kind = "HEAD"
    else:
        key = unquote(parts.path.lstrip("/").partition("/")[2])
        listing = _JSON_LIST.match(parts.path) or (not key and _S3_LIST.search(parts.query))
        if method == "GET" and listing:
            kind, key = "LIST", ""
        elif method == "GET" and (not key or _JSON_BUCKET.match(parts.path)):
            kind, key = "BUCKET", ""
    return Request(method, kind, key, headers, target)
