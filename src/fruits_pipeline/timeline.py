"""When each step of this process began and ended, since it was started; ``run.json`` keeps it."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import JsonValue

_Entered = TypeVar("_Entered")


@dataclass(frozen=True)
class Step:
    """One step, or all steps of one name.

    Attributes:
        began_s: Seconds from the start of the process to the first one's begin.
        ended_s: Seconds from the start of the process to the last one's end.
        seconds: What they took together: more than ``ended_s - began_s`` where some ran at the same time.
        times: How many they were.
    """

    began_s: float
    ended_s: float
    seconds: float
    times: int = 1

    def with_(self, other: "Step") -> "Step":
        """Both as one."""
        began_s, ended_s = min(self.began_s, other.began_s), max(self.ended_s, other.ended_s)
        return Step(began_s, ended_s, self.seconds + other.seconds, self.times + other.times)


def _process_began_s() -> float:
    """When this process was started, on the monotonic clock; now, where the system does not tell it."""
    now_s = time.monotonic()
    status = Path("/proc/self/stat")
    if sys.platform != "linux" or not status.exists():
        return now_s
    # proc(5): field 22 counts clock ticks since boot; the second field is in brackets and may hold anything.
    ticks = int(status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
    return now_s - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


_began_s: Final = _process_began_s()
_lock: Final = threading.Lock()
_steps: Final[dict[str, Step]] = {}


@contextmanager
def step(name: str) -> Iterator[None]:
    """Notes when the block began and ended, also when it fails; in any thread."""
    began_s = time.monotonic() - _began_s
    try:
        yield
    finally:
        note(name, began_s)


@contextmanager
def around(name: str, manager: AbstractContextManager[_Entered]) -> Iterator[_Entered]:
    """The context of ``manager``; how long it took to enter and to leave are two steps."""
    with ExitStack() as noted, ExitStack() as stack:
        with step(name):
            entered = stack.enter_context(manager)
        try:
            yield entered
        finally:
            # It runs once the manager was left.
            noted.callback(note, f"{name} ends", time.monotonic() - _began_s)


def note(name: str, began_s: float = 0.0) -> None:
    """Notes a step that ends now and began ``began_s`` seconds after the process."""
    ended_s = time.monotonic() - _began_s
    found = Step(began_s, ended_s, ended_s - began_s)
    with _lock:
        _steps[name] = _steps[name].with_(found) if name in _steps else found


def steps() -> dict[str, Step]:
    """The steps that ended, by name, in the order of their begin."""
    with _lock:
        return dict(sorted(_steps.items(), key=lambda item: item[1].began_s))


def as_json() -> list[JsonValue]:
    """The steps as ``run.json`` has them, with seconds to a hundredth."""
    return [
        {
            "step": name,
            "began_s": round(found.began_s, 2),
            "ended_s": round(found.ended_s, 2),
            "seconds": round(found.seconds, 2),
            "times": found.times,
        }
        for name, found in steps().items()
    ]


def forget() -> None:
    """Forgets all steps: another command of the same process begins."""
    with _lock:
        _steps.clear()
