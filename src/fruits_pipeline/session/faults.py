"""Failures of storage that Spark passes on become those of this package."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage import passed_on

# Java's causes may go in a circle.
_CAUSES = 20


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


def storage_fault(error: Exception, output: str) -> StorageError | None:
    """As ``passed_on.storage_fault``, of an error of Spark."""
    # Spark's own classes of errors have the Java causes beside their message.
    text = [str(error), str(getattr(error, "_stackTrace", None) or "")]
    with contextlib.suppress(Py4JError):  # because the JVM may be gone
        text += _told_of_google(getattr(error, "java_exception", None))
    return passed_on.storage_fault("\n".join(text), output)


def _told_of_google(error: Any) -> Iterator[str]:
    for _ in range(_CAUSES):
        if error is None:
            return
        if error.getClass().getSimpleName() == "GoogleJsonResponseException":
            details = error.getDetails()
            yield passed_on.told_of_google(error.getStatusCode(), details.getMessage() if details else "")
        error = error.getCause()
