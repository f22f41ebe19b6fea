"""A second S3 server, in this process: moto, which takes any credentials."""

from collections.abc import Iterator
from contextlib import contextmanager

from servers.process import free_ports
from servers.server import Server


@contextmanager
def moto_s3() -> Iterator[Server]:
    """The server, empty, while the block runs."""
    from moto.server import ThreadedMotoServer

    (port,) = free_ports(1)
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        yield Server(f"http://127.0.0.1:{port}", port, "any", "any")
    finally:
        server.stop()
