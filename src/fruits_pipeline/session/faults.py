"""Failures of storage that Spark passes on become those of this package."""

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from fruits_pipeline.storage.passed_on import storage_fault


@contextmanager
def storage_faults(output: str) -> Iterator[None]:
    """Raises the ``StorageError`` that an error of Spark tells of, with the right that is missing, in its place.

    ``output`` is the address of the job's output.
    """
    try:
        yield
    except (PySparkException, Py4JError) as error:
        fault = storage_fault(error, output)
        if fault is None:
            raise
        raise fault from error
