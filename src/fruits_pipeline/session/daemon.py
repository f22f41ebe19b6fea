"""Spark's daemon of Python workers, which begins its tasks sooner: ``spark.python.daemon.module`` names it.

Before each task a worker lets Python forget what it knows of folders with modules. Up to Python 3.12 it then reads the
directories of all archives on its path again: those of Spark's own ZIP files and of a JAR, which is on the path too, are
6,000 entries and took 0.1 s of each task. They do not change while a job runs.
Source: https://github.com/python/cpython/issues/103200.
"""

import sys
from zipimport import zipimporter

from pyspark.daemon import manager


def _keep_directories() -> None:
    """Lets archives keep what they know, as those of Python 3.13 do until somebody asks."""
    if sys.version_info < (3, 13):
        zipimporter.invalidate_caches = lambda _: None  # type: ignore[method-assign]  # because Python has no setting


if __name__ == "__main__":
    _keep_directories()
    manager()
