"""What a submitted job has cost at most, after its end."""

import json
import logging
from typing import Any

from fruits_pipeline.errors import StorageError
from fruits_pipeline.state.layout import RUN_RECORD
from fruits_pipeline.state.record import load_record
from fruits_pipeline.state.spent import AtMost
from fruits_pipeline.storage.store import Store
from fruits_pipeline.submit.cost.budget import Budget

log = logging.getLogger(__name__)


def cost_of(budget: Budget, record: dict[str, Any], hours: float) -> AtMost | None:
    """The cost of all nodes that were asked for, for ``hours``, and of the requests that ``run.json`` counts.

    Requests whose kind is not known count as the dear one. None where a price is missing, or the cluster's hours are
    not the job's.
    """
    used, found = record.get("cost"), budget.estimate
    if used is None or found.missing or found.rented.own_cluster:
        return None
    counts = [used["requests"], used.get("connector_requests") or {}]
    reads = sum(count.get("get", 0) + count.get("head", 0) for count in counts)
    free = sum(count.get("delete", 0) for count in counts)
    every = sum(count.get("total", sum(count.values())) for count in counts)
    usd = found.usd_an_hour * hours + budget.usd_of_requests(every - reads - free, reads)
    amount = round(budget.in_currency(usd), 4)
    return AtMost(amount=amount, currency=budget.submit.currency, hours=round(hours, 4))


def note_cost(budget: Budget, output: Store, record: dict[str, Any], hours: float) -> dict[str, Any]:
    """The record with its cost, which is written to ``run.json`` too, where that is still this run's."""
    cost = cost_of(budget, record, hours)
    if cost is None:
        return record
    log.info(
        "cost=%.2f currency=%s hours=%.2f because of all nodes that it asked for", cost.amount, cost.currency, hours
    )
    told = record | {"cost": record["cost"] | {"at_most": cost.model_dump()}}
    try:
        present = load_record(output) or {}
        if present.get("started") == record.get("started"):
            output.write(RUN_RECORD, json.dumps(told, indent=1, ensure_ascii=False).encode())
    except StorageError as error:
        log.warning("the cost is not in %s, because %s", RUN_RECORD, error)
    return told
