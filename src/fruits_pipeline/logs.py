"""Logs as lines of ``time level room message key=value ...`` on stderr."""

import logging
import sys
import time


def configure(level: str) -> None:
    """Sends the package's log lines of at least ``level`` to stderr; called once, by ``cli``."""
    handler = logging.StreamHandler(sys.stderr)
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
