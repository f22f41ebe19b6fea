"""Errors of a wave that a retry cannot fix: the source failed, or the cluster killed executors for their memory."""

from collections.abc import Iterable

from fruits_pipeline.errors import StorageError
from fruits_pipeline.session.faults import storage_fault

# The words of Spark for what YARN's monitor of memory did.
_MEMORY = "exceeding physical memory limits"


def fatal_fault(error: Exception, losses: Iterable[str], output: str) -> StorageError | None:
    """The error that ends the job, or None where ``error`` may be mended by another try.

    Args:
        error: What ended a wave.
        losses: Why executors were lost since the attempt began. Spark's own error often names only what was lost with
            them.
        output: The address of the job's output.
    """
    return storage_fault(error, output) or memory_fault(losses)


def memory_fault(losses: Iterable[str]) -> StorageError | None:
    """What to say where the cluster killed executors because they took more memory than they had asked for.

    >>> memory_fault(["Container from a bad node", "Container released on a *lost* node"])
    >>> memory_fault(["Container killed by YARN for exceeding physical memory limits. 1.1 GB of 1 GB"]).exit_code
    7
    """
    told = [loss for loss in losses if _MEMORY in loss]
    if not told:
        return None
    return StorageError(
        f"expected executors to live within their memory, found {len(told)} of them killed: {told[-1].strip()}\n"
        "give them more beside the heap, where Python and OpenVINO live: `submit --executor-memory-overhead`, or "
        "--conf spark.executor.memoryOverhead of spark-submit; or fewer workers in each: `--executor-cores`. "
        "Then the same command resumes"
    )
