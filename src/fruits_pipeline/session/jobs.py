"""Spark jobs of a block in somebody else's session, told apart from others there by a job group."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final
from uuid import uuid4

from py4j.protocol import Py4JError
from pyspark import SparkContext

_GROUP: Final = "spark.jobGroup.id"
_PROPERTIES: Final = (_GROUP, "spark.job.description", "spark.job.interruptOnCancel")
_PREFIX: Final = "fruits-pipeline-"


@contextmanager
def grouped(context: SparkContext) -> Iterator[None]:
    """A block whose jobs are a group of their own; threads of it have to be started as ``inheritable_thread_target``.

    Afterwards the thread has the group that it had.
    """
    former = {name: context.getLocalProperty(name) for name in _PROPERTIES}
    context.setJobGroup(f"{_PREFIX}{uuid4()}", "fruits-pipeline")
    try:
        yield
    finally:
        # Where the JVM is lost there is nothing to restore, and the error of the block says more.
        with contextlib.suppress(Py4JError):
            for name, value in former.items():
                context.setLocalProperty(name, value)  # type: ignore[arg-type]  # because None takes it away


def is_grouped(context: SparkContext) -> bool:
    """Whether this thread is in a ``grouped`` block."""
    return (context.getLocalProperty(_GROUP) or "").startswith(_PREFIX)


def cancellation(context: SparkContext) -> Callable[[], None]:
    """What cancels the jobs of this thread's ``grouped`` block, from any thread; outside of one, all jobs."""
    group = context.getLocalProperty(_GROUP)
    return partial(context.cancelJobGroup, group) if group and is_grouped(context) else context.cancelAllJobs
