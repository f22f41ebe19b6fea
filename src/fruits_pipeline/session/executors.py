"""What Spark's properties and its record of executors say about the size and the losses of a cluster."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from pyspark import SparkContext

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
_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


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


def task_counts(context: SparkContext) -> tuple[int, int]:
    """The numbers of running and of waiting tasks of all active stages."""
    tracker = context.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    known = [stage for stage in stages if stage is not None]
    running = sum(stage.numActiveTasks for stage in known)
    return running, sum(stage.numTasks - stage.numCompletedTasks for stage in known) - running


def executor_losses(context: SparkContext, since: datetime = _ALWAYS) -> list[str]:
    """Why executors were lost at ``since`` (with a time zone) or later, in Spark's words and in no order.

    Executors that were released without a fault have no reason and are left out.
    """
    jvm: Any = context._jsc  # noqa: SLF001 because PySpark has no access to Spark's status store
    executors = jvm.sc().statusStore().executorList(False)
    found = (executors.apply(index) for index in range(executors.size()))
    removed = [executor for executor in found if executor.removeReason().isDefined()]
    return reasons_since(map(_loss, removed), since)


def _loss(executor: Any) -> ExecutorLoss:
    """A loss from Spark's ``ExecutorSummary``; a removal without a time counts as just now."""
    when = executor.removeTime()
    removed_at = datetime.fromtimestamp(when.get().getTime() / 1000, UTC) if when.isDefined() else datetime.now(UTC)
    return ExecutorLoss(executor.removeReason().get(), removed_at)
