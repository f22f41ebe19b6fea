"""Progress of a long action: a bar on a terminal, a plain line every few seconds in a log.

Images are counted by an accumulator, which moves when a task ends, so tasks stay short.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

log = logging.getLogger(__name__)

EVERY_S = 5.0


class ImageProgress:
    """Shows how many of ``total`` images are done while the block runs."""

    def __init__(self, total: int, done: Callable[[], int], tasks: Callable[[], tuple[int, int]]) -> None:
        """``done`` gives images done in this run, ``tasks`` Spark tasks running and waiting."""
        self._total = total
        self._done = done
        self._tasks = tasks
        self._stop = threading.Event()
        self._started_s = time.monotonic()
        show = self._show_bar if sys.stderr.isatty() else self._log_lines
        self._thread = threading.Thread(target=show, name="progress", daemon=True)

    def __enter__(self) -> Self:
        """Starts the thread that shows progress."""
        self._started_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Shows the final count and ends the thread."""
        self._stop.set()
        self._thread.join()

    def _log_lines(self) -> None:
        while not self._stop.wait(EVERY_S):
            running, waiting = self._tasks()
            log.info("%s tasks_running=%d tasks_waiting=%d", self.line(), running, waiting)
        log.info("%s", self.line())

    def line(self) -> str:
        """Images done, images/s and seconds left, as one line."""
        done = min(self._done(), self._total)
        rate = done / max(time.monotonic() - self._started_s, 1e-9)
        left = f"{(self._total - done) / rate:.0f}" if done else "unknown"
        return f"images={done}/{self._total} images_per_s={rate:.1f} left_s={left}"

    def _show_bar(self) -> None:
        columns = (
            TextColumn("images"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.1f} images/s"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, transient=True) as bar:
            task = bar.add_task("images", total=self._total, rate=0.0)
            while not self._stop.wait(0.5):
                done = self._done()
                bar.update(task, completed=done, rate=done / (time.monotonic() - self._started_s))
        log.info("%s", self.line())
