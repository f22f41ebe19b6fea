"""Commands on a terminal of their own, where Ctrl-C reaches the whole foreground process group."""

import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

# Makes the pseudo-terminal on file descriptor 0 the controlling terminal, then becomes the command.
_ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A command that runs on a pseudo-terminal."""

    def __init__(self, words: Sequence[object], variables: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._shown = bytearray()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, *map(str, words)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=variables,
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def shown(self) -> str:
        """What the terminal has shown so far."""
        return self._shown.decode(errors="replace")

    def wait_until(self, happened: Callable[[], bool], limit_s: float = 200.0) -> None:
        """Returns when ``happened`` does, or the command has ended."""
        deadline_s = time.monotonic() + limit_s
        while not happened() and self.process.poll() is None and time.monotonic() < deadline_s:
            time.sleep(0.02)

    def ctrl_c(self) -> None:
        """Presses Ctrl-C."""
        os.write(self._master, b"\x03")

    def wait(self, limit_s: float = 60.0) -> int:
        """The exit code, once the command has ended and all that it wrote is read."""
        code = self.process.wait(limit_s)
        self._reader.join(1.0)
        return code

    def _read(self) -> None:
        while True:
            try:
                content = os.read(self._master, 65_536)
            except OSError:  # the last writer has closed the terminal
                return
            self._shown += content
