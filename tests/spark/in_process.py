"""Commands in this process, on the session that all Spark tests share and on a model of three colours: no start-up.

All else is real: settings, exit codes, state, Spark, files. What needs a process, a JVM or the real network of its own
stands in ``tests/system``.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fruits_pipeline import cli, pipeline
from fruits_pipeline.backbones.model import Model
from outputs import Ended

# One classifier, fitted in a second.
SMALL = {
    "FRUITS_COMPONENTS": "2",
    "FRUITS_CLASSIFIER": "logistic_regression",
    # Pictures on the page are read again by a process of their own; tests/page and tests/system have them.
    "FRUITS_REPORT_IMAGES": "none",
    "FRUITS_REGRESSION_ITERATIONS": "3",
    "FRUITS_FOREST_TREES": "4",
}
# The smallest size that a setting takes.
SIZE = 32

Command = Callable[..., Ended]


@contextmanager
def commands(
    spark, model: Model, capfd: pytest.CaptureFixture[str], *, configures: bool = False, **variables: str
) -> Iterator[Command]:
    """A function that runs ``fruits-pipeline`` with its words, and gives how it ended.

    With ``configures`` the command gives the session its settings, connectors and all, as in a notebook.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    @contextmanager
    def session(*_: object, **__: object) -> Iterator[object]:
        yield spark

    def run(*words: object) -> Ended:
        capfd.readouterr()
        code = cli.main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    with pytest.MonkeyPatch.context() as patch:
        if not configures:
            patch.setattr(pipeline, "spark_session", session)
        patch.setattr(pipeline, "prepare", lambda _: model)
        for name, value in (SMALL | {"FRUITS_IMAGE_SIZE": str(SIZE)} | variables).items():
            patch.setitem(os.environ, name, value)
        yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def table_of(file: Path, rows: dict[str, tuple[str, ...]], header: str = "path,label,split") -> Path:
    """Writes a CSV file: a path, and its other values, in each line."""
    lines = [header, *(",".join((path, *values)) for path, values in rows.items())]
    file.write_text("\n".join(lines) + "\n")
    return file
