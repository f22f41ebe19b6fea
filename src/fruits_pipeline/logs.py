"""Logs as lines of ``time level room message key=value ...`` on stderr."""

import io
import logging
import time
from typing import TextIO


def configure(level: str, stream: TextIO | io.TextIOBase | None = None) -> None:
    """Sends the package's log lines of at least ``level`` to ``stream``, by default stderr; called once, by ``cli``."""
    handler = logging.StreamHandler(stream)
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(room)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_room)
    package = logging.getLogger("fruits_pipeline")
    package.handlers = [handler]
    package.propagate = False
    package.setLevel(level)


def _room(record: logging.LogRecord) -> bool:
    """Adds the room's name, the second part of the logger's name."""
    record.room = record.name.split(".")[1] if "." in record.name else record.name
    return True
