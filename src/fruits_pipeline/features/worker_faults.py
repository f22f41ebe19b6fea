"""Our own errors, as Spark tells them when a worker raised them."""

import re

from fruits_pipeline.errors import StorageError

_TOLD = re.compile(rf"\b{re.escape(StorageError.__module__)}\.{StorageError.__name__}: (.+)")


def storage_fault(error: Exception) -> StorageError | None:
    r"""The ``StorageError`` that a worker raised, or None where ``error`` has another cause.

    >>> storage_fault(RuntimeError("Traceback ...\nfruits_pipeline.errors.StorageError: could not read x\n\tat ..."))
    StorageError('could not read x')
    """
    found = _TOLD.search(str(error))
    return None if found is None else StorageError(found[1].strip())
