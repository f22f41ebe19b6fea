"""What no second try mends, as Spark tells it: our own errors in a worker, and a container killed for its memory."""

import re

from fruits_pipeline.errors import StorageError

# YARN's monitor, and Spark's word for an exit by the kernel's own killer (128 + SIGKILL).
_MEMORY = re.compile(r"Container killed by YARN for exceeding physical memory limits|Exit status: 137")
_TOLD = re.compile(rf"\b{re.escape(StorageError.__module__)}\.{StorageError.__name__}: (.+)")


def fatal_fault(error: Exception) -> StorageError | None:
    """The error that ends the job, or None where ``error`` may be mended by another try."""
    return storage_fault(error) or memory_fault(error)


def memory_fault(error: Exception) -> StorageError | None:
    """What to say where the cluster killed executors because they took more memory than they had asked for.

    >>> told = "Container killed by YARN for exceeding physical memory limits. 1.1 GB of 1 GB memory used."
    >>> str(memory_fault(RuntimeError(told))).splitlines()[0].partition(', ')[2]
    "found 'Container killed by YARN for exceeding physical memory limits'"
    """
    found = _MEMORY.search(str(error))
    if found is None:
        return None
    return StorageError(
        f"expected executors to live within their memory, found {found[0]!r}\n"
        "give them more beside the heap, for Python and OpenVINO live there: `submit --executor-memory-overhead`, or "
        "--conf spark.executor.memoryOverhead of spark-submit; or fewer workers in each: `--executor-cores`. "
        "Then the same command resumes"
    )


def storage_fault(error: Exception) -> StorageError | None:
    r"""The ``StorageError`` that a worker raised, or None where ``error`` has another cause.

    >>> storage_fault(RuntimeError("Traceback ...\nfruits_pipeline.errors.StorageError: could not read x\n\tat ..."))
    StorageError('could not read x')
    """
    found = _TOLD.search(str(error))
    return None if found is None else StorageError(found[1].strip())
