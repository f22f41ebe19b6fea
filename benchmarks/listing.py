"""A million keys into a manifest, from a server that answers S3's list requests, 1,000 keys a page.

What grows is the memory of the process that lists (its peak, less what it held before), and what counts is its own
processor time; the server is a process of its own.
"""

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

_PAGE = 1000
_LABELS = 100
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


def main() -> None:
    """Prints memory, processor time and the number of requests, from a child that does nothing else."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--images-folder", help="taken as by the other scripts; no image is read")
    parser.add_argument("--cache-dir", help="taken as by the other scripts; no model is needed")
    asked = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    server = spawn.Process(target=_serve, args=(theirs, asked.keys), daemon=True)
    server.start()
    with spawn.Pool(1) as pool:
        found = pool.apply(_listed, (mine.recv(), asked.keys))
    server.terminate()
    name = f"{asked.keys:,} keys into a manifest"
    figures = [
        {"what": f"{name}: memory grows by", "found": found["grown_mb"], "unit": "MB", "at_most": 300},
        {"what": f"{name}: processor time", "found": found["processor_s"], "unit": "s", "at_most": 120},
    ]
    print(json.dumps({"figures": figures}))


def _listed(endpoint: str, keys: int) -> dict[str, float]:
    """Lists all into a manifest on disk; MiB and seconds of this process."""
    os.environ.update(_CREDENTIALS)
    from fruits_pipeline.ingest.build import build_manifest

    from fruits_pipeline.settings.ingest import IngestSettings
    from fruits_pipeline.settings.storage import StorageSettings
    from fruits_pipeline.storage.opening import open_store
    from fruits_pipeline.storage.source import parse_source

    address = "s3://bucket/images"
    source = parse_source(address, StorageSettings(s3_endpoint_url=endpoint))
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as out:
        before_mb, before_s = _peak_mb(), _processor_s()
        manifest = build_manifest(source, open_store(out), IngestSettings(data_source=address), cores=2, next_wave=0)
    assert manifest.counts.pending == keys, f"expected {keys} images in the manifest, found {manifest.counts.pending}"
    return {"grown_mb": round(_peak_mb() - before_mb, 1), "processor_s": round(_processor_s() - before_s, 1)}


def _peak_mb() -> float:
    """The most memory that this process has held so far; before the work, about what it holds."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _serve(ready: Connection, keys: int) -> None:
    """Answers ListObjectsV2 for ``keys`` images in order of key; sends its address first."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Lists)
    server.keys = keys
    ready.send(f"http://127.0.0.1:{server.server_address[1]}")
    server.serve_forever()


class _Lists(BaseHTTPRequestHandler):
    """One page of keys: the continuation token is the number of the first."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        first = int(asked.get("continuation-token", ["0"])[0])
        after = min(first + int(asked.get("max-keys", [str(_PAGE)])[0]), first + _PAGE, self.server.keys)
        rows = "".join(map(self._row, range(first, after)))
        more = after < self.server.keys
        token = f"<NextContinuationToken>{after}</NextContinuationToken>" if more else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>bucket</Name><Prefix>images/</Prefix><KeyCount>{after - first}</KeyCount><MaxKeys>{_PAGE}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _row(self, number: int) -> str:
        label = number * _LABELS // self.server.keys
        return (
            f"<Contents><Key>images/Training/Label%20{label:03d}/{number:09d}.jpg</Key>"
            f"<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{number:032x}&quot;</ETag>"
            "<Size>5000</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )

    def log_message(self, *_: object) -> None:
        """Nothing: a line for each request would cost more than the answer."""


if __name__ == "__main__":
    main()
