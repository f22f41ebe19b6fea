"""Spark's daemon of Python workers, which begins its tasks sooner: ``spark.python.daemon.module`` names it.

Before each task a worker lets Python forget what it knows of folders with modules. Up to Python 3.12 it then reads the
directories of all archives on its path again: Spark's own ZIP files and one of its JARs have 6,000 entries together,
which took 0.1 s of each task. They do not change while a job runs.
Source: https://github.com/python/cpython/issues/103200.
"""

import sys
from zipimport import zipimporter

from pyspark.daemon import manager


def _nothing(self: zipimporter) -> None:
    pass


def _keep_directories() -> None:
    """Lets archives keep what they know, as those of Python 3.13 do until somebody asks."""
    if sys.version_info < (3, 13):
        zipimporter.invalidate_caches = _nothing  # type: ignore[method-assign]  # because Python has no setting for it


if __name__ == "__main__":
    _keep_directories()
    manager()  # type: ignore[no-untyped-call]  # because PySpark leaves it untyped
