"""A server process on free ports, up when the block begins and gone when it ends."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_UP_WITHIN_S = 60.0


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


@contextmanager
def running(words: Sequence[str], log: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """The command ``words`` runs while the block does; what it prints goes to ``log``.

    Where the system can, the server also dies with this process, however that ends.

    Raises:
        RuntimeError: With the log's end, when the server is not ``ready`` in time.
    """
    guard = [setpriv, "--pdeathsig", "KILL"] if (setpriv := shutil.which("setpriv")) else []
    with log.open("wb") as sink:
        server = subprocess.Popen([*guard, *words], stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)
    try:
        deadline_s = time.monotonic() + _UP_WITHIN_S
        while not ready():
            if server.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"expected {words[0]} to be up, found: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        server.kill()
        server.wait()


def answers(url: str) -> bool:
    """Whether a server answers there, with whatever status."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True
