"""What Spark's properties and its record of executors say about the size and the losses of a cluster."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

# Taken where executors come and go without an upper limit. Sizes then follow from the work and not from the executors
# that happen to be present; adaptive execution joins partitions that turn out small.
NOMINAL_TASKS: Final = 64
# A limit like this is a platform's default and not the size of a cluster. Spark's own is the largest Int; EMR's managed
# scaling leaves it so.
_NO_LIMIT: Final = 1_000
# What the functions below read.
SIZE_PROPERTIES: Final = (
    "spark.task.cpus",
    "spark.executor.cores",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.maxExecutors",
)


class ExecutorLoss(NamedTuple):
    """Why an executor was removed, in Spark's words, and when."""

    reason: str
    removed_at: datetime


def is_unlimited(properties: Mapping[str, str]) -> bool:
    """Whether dynamic allocation may add executors without an upper limit.

    >>> is_unlimited({}), is_unlimited({"spark.dynamicAllocation.enabled": "true"})
    (False, True)
    """
    enabled = properties.get("spark.dynamicAllocation.enabled", "false") == "true"
    return enabled and _limit(properties) is None


def tasks_at_once(properties: Mapping[str, str], default_parallelism: int) -> int:
    """The number of tasks that can run at the same time once all executors are there; at least 1.

    Args:
        properties: Spark's properties.
        default_parallelism: Spark's ``defaultParallelism``: the cores of the executors that are present.

    >>> tasks_at_once({"spark.task.cpus": "2"}, 8)
    4
    """
    present = max(1, default_parallelism // int(properties.get("spark.task.cpus", "1")))
    if properties.get("spark.dynamicAllocation.enabled", "false") != "true":
        return present
    limit = _limit(properties)
    if limit is None:
        return max(present, NOMINAL_TASKS)
    cores = limit * int(properties.get("spark.executor.cores", "1"))
    return max(present, cores // int(properties.get("spark.task.cpus", "1")))


def reasons_since(losses: Iterable[ExecutorLoss], since: datetime) -> list[str]:
    """The reasons of losses at ``since`` or later, in their order."""
    return [loss.reason for loss in losses if loss.removed_at >= since]


def _limit(properties: Mapping[str, str]) -> int | None:
    executors = int(properties.get("spark.dynamicAllocation.maxExecutors", _NO_LIMIT))
    return executors if executors < _NO_LIMIT else None
