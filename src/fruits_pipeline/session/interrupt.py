"""Ctrl-C and SIGTERM: the command unwinds, prints one line and ends within five seconds, whatever its threads do.

A thread of its own reads the signals from Python's wake-up file descriptor. It therefore acts at once, also while
the main thread is in a long native call, where no Python signal handler runs.
"""

import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from fruits_pipeline.errors import Interrupted

LINE: Final = "interrupted: the same command resumes"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
# Seconds from the signal: until when a JVM may remove its files, and when the process ends in any case.
_CHILD_S: Final = 3.0
_DEADLINE_S: Final = 4.0
# `timeout` of the GNU coreutils sends its signal twice; a person presses Ctrl-C again later than that.
_REPEAT_S: Final = 0.3


class _Interruption:
    """The first signal in an ``interruptible`` block, and how the process ends after it."""

    def __init__(self, wake_up: socket.socket) -> None:
        self.wake_up = wake_up
        self.raised = False
        self.number: int | None = None
        self.stops: list[Callable[[int], None]] = []
        self.finishes: list[Callable[[float], None]] = []
        self._stderr = 2
        self._began_s = 0.0
        self._stopped = threading.Event()
        self._last = threading.Lock()

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """The signal handler: raises ``Interrupted`` for the first signal, once ``watch`` has acted."""
        if not self.raised:
            self.raised = True
            self._stopped.wait(_CHILD_S)
            raise Interrupted(number)

    def watch(self, signals: socket.socket) -> None:
        """Acts on the first signal, then ends the process at a second one or at the deadline."""
        with signals:
            while (received := signals.recv(1)) and received[0] not in _SIGNALS:
                pass
            if not received:
                return
            self._begin(received[0])
            time.sleep(_REPEAT_S)
            signals.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                signals.recv(4096)
            select.select([signals], [], [], self._left_s(_DEADLINE_S))
            self.end(wait_s=0.0)

    def _begin(self, number: int) -> None:
        """Closes stderr to everything but the last line, then stops what was registered."""
        self._began_s = time.monotonic()
        with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nothing:
            self._stderr = os.dup(2)
            os.dup2(nothing.fileno(), 2)
        self.number = number
        for stop in self.stops:
            stop(number)
        self._stopped.set()

    def _left_s(self, limit_s: float) -> float:
        return max(0.0, self._began_s + limit_s - time.monotonic())

    def end(self, wait_s: float | None = None) -> NoReturn:
        """Ends the process with the one line and the signal's exit code; threads are not waited for.

        Args:
            wait_s: How long child processes may still take; None: what is left of their time.
        """
        for finish in self.finishes:
            finish(self._left_s(_CHILD_S) if wait_s is None else wait_s)
        self._last.acquire()  # never released, so that the line is written once
        with contextlib.suppress(OSError):
            # On a terminal the line replaces the ^C that stands there.
            start = "\r" if os.isatty(self._stderr) else ""
            os.write(self._stderr, f"{start}{LINE}\n".encode())
        os._exit(Interrupted(self.number or signal.SIGINT).exit_code)


_blocks: Final[list[_Interruption]] = []


@contextmanager
def interruptible() -> Iterator[None]:
    """A block in which SIGINT and SIGTERM end the process with 130 and 143, after the block has unwound.

    The main thread gets ``Interrupted``. Whatever error leaves the block then, the process ends with the signal's
    exit code and ``LINE`` as the only output on stderr: at the latest after four seconds, or at a second signal.
    To be entered by the main thread. Without a signal, the former handlers are restored. Within another such block
    it adds nothing.
    """
    if _blocks:
        yield
        return
    signals, wake_up = socket.socketpair()
    wake_up.setblocking(False)
    interruption = _Interruption(wake_up)
    threading.Thread(target=interruption.watch, args=(signals,), name="interrupt", daemon=True).start()
    former = {number: signal.getsignal(number) for number in _SIGNALS}
    former_fd = signal.set_wakeup_fd(-1)
    _blocks.append(interruption)
    install_handlers()
    try:
        try:
            yield
        finally:
            if not interruption.raised:
                for number, handler in former.items():
                    signal.signal(number, handler)
                signal.set_wakeup_fd(former_fd)
                wake_up.close()
                _blocks.remove(interruption)
    finally:
        if interruption.raised or interruption.number is not None:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
            interruption.end()


def install_handlers() -> None:
    """Sets the signal handlers of the ``interruptible`` block again: ``SparkContext`` replaces the one of SIGINT."""
    if _blocks:
        signal.set_wakeup_fd(_blocks[-1].wake_up.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, _blocks[-1].handle)


@contextmanager
def signals_raise() -> Iterator[None]:
    """A block in which a signal only raises, for a command that handles it: ``KeyboardInterrupt`` or ``Interrupted``.

    It stands within an ``interruptible`` block, and no Spark runs in it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _raise)
    signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        install_handlers()


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)


def raise_if_interrupted() -> None:
    """Raises ``Interrupted`` again where a bare ``except`` has swallowed it: ``pyspark.ml.linalg`` imports SciPy so."""
    number = _blocks[-1].number if _blocks else None
    if number is not None:
        raise Interrupted(number)


def on_interruption(stop: Callable[[int], None], finish: Callable[[float], None]) -> None:
    """Registers what an interruption stops; nothing is done outside an ``interruptible`` block.

    Args:
        stop: Called with the signal's number as soon as it comes, by another thread than the main one. It must not
            block.
        finish: Called before the process ends, with the seconds that it may take.
    """
    if _blocks:
        _blocks[-1].stops.append(stop)
        _blocks[-1].finishes.append(finish)
