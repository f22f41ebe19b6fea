"""What the shared suite of submitters needs of a platform: its client, in front of a stand-in of its control plane.

A platform joins the suite by a module of this package with ``PLATFORMS``: name -> context manager that gives a fresh
``Cloud``. The suite is ``unit/test_control_planes.py``.
"""

import importlib
import pkgutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import Protocol

import clouds
from fruits_pipeline.submit.platform import Phase, Platform, Request


class Fault(Enum):
    """What a control plane may answer instead, each in its vendor's own code and words."""

    THROTTLED = auto()
    EXPIRED_CREDENTIALS = auto()
    UNKNOWN_RELEASE = auto()
    QUOTA = auto()


class Cloud(Protocol):
    """One platform and one job, always the same; nothing was started yet."""

    def platform(self) -> Platform:
        """A new client of the job, as another run of the same command has it."""
        ...

    def move(self, started: str, phase: Phase, detail: str = "") -> None:
        """The control plane lets the job come to ``phase``, and says ``detail`` about it where it has a place to."""
        ...

    def fail(self, fault: Fault, times: int) -> None:
        """The next ``times`` calls that start a job (throttling and credentials: any calls) are answered so.

        Pauses between the client's retries take no time.
        """
        ...

    def sent(self) -> list[Request]:
        """The calls received that start or create something, in order, named as ``requests`` names them."""
        ...

    def alive(self) -> int:
        """How many jobs are pending or running, and clusters of their own that cost money."""
        ...


Opened = Callable[[], AbstractContextManager[Cloud]]


def platforms() -> dict[str, Opened]:
    """Every platform that has an adapter, by name."""
    modules = [importlib.import_module(f"clouds.{module.name}") for module in pkgutil.iter_modules(clouds.__path__)]
    return {name: opened for module in modules for name, opened in getattr(module, "PLATFORMS", {}).items()}
