"""The runner in a session of its own, with all processes that it starts."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from in_process import SIZE, SMALL

from kill.runner import Orders
from outputs import Ended

_GONE_WITHIN_S = 30.0
_LONGEST_S = 300.0


class Runner:
    """A running command; ``wait`` gives how it ended."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process, self._log = process, log

    @property
    def session(self) -> int:
        """The number of its session, which its JVM and the JVM's workers are of too."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> Ended:
        """How it ended; a negative code is a signal's."""
        code = self._process.wait(_LONGEST_S)
        return Ended(code, self._log.with_suffix(".out").read_text(), self._log.read_text())


@contextmanager
def running(orders: Orders, *words: object, program: Sequence[str] = (sys.executable,), **variables: str):
    """Starts the runner; nothing of its session is left at the end of the block."""
    environment = os.environ | SMALL | {"FRUITS_IMAGE_SIZE": str(SIZE), "TZ": "UTC"} | variables
    with tempfile.TemporaryDirectory(prefix="runner-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as err, log.with_suffix(".out").open("wb") as out:
            process = subprocess.Popen(
                [*program, *orders.words(), *map(str, words)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        try:
            yield Runner(process, log)
        finally:
            _end(process)


def run(orders: Orders, *words: object, **variables: str) -> Ended:
    """Runs the runner to its end."""
    with running(orders, *words, **variables) as runner:
        return runner.wait()


def members(session: int, word: str = "") -> list[int]:
    """The processes of a session whose command line has ``word``, the oldest first."""
    return sorted(pid for pid in _processes() if _session(pid) == session and word in _line(pid))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends all that is left of the session: the JVM first, whose end ends the workers."""
    deadline = time.monotonic() + _GONE_WITHIN_S
    while left := members(process.pid):
        for pid in left:
            _kill(pid)
        process.poll()
        time.sleep(0.05)
        assert time.monotonic() < deadline, left
    process.wait(_GONE_WITHIN_S)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _session(pid: int) -> int:
    """The session of a process that is no zombie; 0 where it has gone."""
    try:
        state, _, _, session, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if state == "Z" else int(session)


def _line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
