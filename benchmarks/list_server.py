"""A bucket of any number of keys in labelled folders, which exist only as answers to S3's list requests."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

ADDRESS = "s3://bucket/images"

_PAGE = 1000
_LABELS = 100
_FOLDER = "images/Training/"
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def list_server(keys: int) -> Iterator[str]:
    """The address of a server, in a process of its own, that lists ``keys`` images in order of key below ``ADDRESS``.

    Credentials that it takes are in the environment from then on.
    """
    os.environ.update(_CREDENTIALS)
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    server = spawn.Process(target=_serve, args=(theirs, keys), daemon=True)
    server.start()
    try:
        yield mine.recv()
    finally:
        server.terminate()


def _serve(ready: Connection, keys: int) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Lists)
    server.keys = keys
    ready.send(f"http://127.0.0.1:{server.server_address[1]}")
    server.serve_forever()


class _Lists(BaseHTTPRequestHandler):
    """One page of keys: the continuation token is the number of its first."""

    protocol_version = "HTTP/1.1"
    # One packet for head and body.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        prefix = asked.get("prefix", "")
        labels = self._labels(prefix)
        if "delimiter" in asked and _FOLDER.startswith(prefix):
            folders = [_FOLDER] if prefix != _FOLDER else [f"{_FOLDER}Label%20{label:03d}/" for label in labels]
            rows = "".join(f"<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>" for folder in folders)
            self._answer(prefix, rows, len(folders), None)
            return
        end = self._first(labels.stop)
        first = int(asked.get("continuation-token", self._first(labels.start)))
        after = min(first + int(asked.get("max-keys", _PAGE)), first + _PAGE, end)
        self._answer(
            prefix, "".join(map(self._row, range(first, after))), after - first, after if after < end else None
        )

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _labels(self, prefix: str) -> range:
        """The labels that have keys below ``prefix``."""
        name = prefix.removeprefix(_FOLDER).strip("/").removeprefix("Label ")
        return range(int(name), int(name) + 1) if name.isdigit() else range(_LABELS)

    def _first(self, label: int) -> int:
        """The number of the first key of ``label``."""
        return -(-label * self.server.keys // _LABELS)

    def _row(self, number: int) -> str:
        label = number * _LABELS // self.server.keys
        return (
            f"<Contents><Key>{_FOLDER}Label%20{label:03d}/{number:09d}.jpg</Key>"
            f"<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{number:032x}&quot;</ETag>"
            "<Size>5000</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )

    def _answer(self, prefix: str, rows: str, count: int, following: int | None) -> None:
        token = "" if following is None else f"<NextContinuationToken>{following}</NextContinuationToken>"
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>bucket</Name><Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount><MaxKeys>{_PAGE}</MaxKeys>"
            f"<EncodingType>url</EncodingType><IsTruncated>{str(bool(token)).lower()}</IsTruncated>{token}{rows}"
            "</ListBucketResult>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a line for each request would cost more than the answer."""
