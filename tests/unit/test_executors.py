"""The size of a cluster from Spark's properties, and which losses of executors count."""

from datetime import UTC, datetime, timedelta

import pytest

from fruits_pipeline.session.executors import ExecutorLoss, is_unlimited, reasons_since, tasks_at_once

DYNAMIC = {"spark.dynamicAllocation.enabled": "true", "spark.executor.cores": "4"}
MAX = "spark.dynamicAllocation.maxExecutors"


@pytest.mark.parametrize(
    ("properties", "present", "tasks"),
    [
        ({}, 2, 2),
        ({MAX: "8"}, 2, 2),  # without dynamic allocation the limit means nothing
        ({"spark.task.cpus": "4"}, 2, 1),
        (DYNAMIC | {MAX: "8"}, 4, 32),
        (DYNAMIC | {MAX: "8", "spark.task.cpus": "2"}, 4, 16),
        (DYNAMIC | {MAX: "1"}, 12, 12),
        (DYNAMIC, 4, 64),
        (DYNAMIC | {MAX: "2147483647"}, 4, 64),
        (DYNAMIC | {MAX: "10000"}, 4, 64),
        (DYNAMIC, 400, 400),
        (DYNAMIC | {"spark.task.cpus": "4"}, 4, 64),
    ],
)
def test_tasks_at_once_follow_the_limit_and_not_the_executors_that_are_present(properties, present, tasks):
    assert tasks_at_once(properties, present) == tasks


def test_only_dynamic_allocation_without_a_limit_is_unlimited():
    assert is_unlimited(DYNAMIC)
    assert is_unlimited(DYNAMIC | {MAX: "2147483647"})
    assert not is_unlimited(DYNAMIC | {MAX: "8"})
    assert not is_unlimited({MAX: "2147483647"})


def test_losses_before_the_moment_do_not_count():
    since = datetime(2026, 1, 1, 12, tzinfo=UTC)
    moments = {"early": -3600.0, "just before": -0.001, "at": 0.0, "later": 60.0}
    losses = [ExecutorLoss(reason, since + timedelta(seconds=s)) for reason, s in moments.items()]
    assert reasons_since(losses, since) == ["at", "later"]
