"""What a submitted job has cost at most, after its end."""

import logging
from dataclasses import asdict, dataclass
from typing import Any

from fruits_pipeline.submit.cost.budget import Budget

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AtMost:
    """The most that a submitted job has cost.

    Attributes:
        amount: Of all that it asked for, for all hours, and of the requests.
        currency: Its currency.
        hours: From the submission to the end.
    """

    amount: float
    currency: str
    hours: float


def cost_of(budget: Budget, record: dict[str, Any], hours: float) -> AtMost | None:
    """The cost of all nodes that were asked for, for ``hours``, and of the requests that ``run.json`` counts.

    No machine counts as Spot, since fleets may take others. Requests whose kind is not known count as the dear one.
    None where a price is missing, or the cluster's hours are not the job's.
    """
    used, found = record.get("cost"), budget.estimate
    if used is None or found.missing or found.rented.own_cluster:
        return None
    counts = [used["requests"], used.get("connector_requests") or {}]
    reads = sum(count.get("get", 0) + count.get("head", 0) for count in counts)
    free = sum(count.get("delete", 0) for count in counts)
    every = sum(count.get("total", sum(count.values())) for count in counts)
    usd = found.most_an_hour * hours + budget.usd_of_requests(every - reads - free, reads)
    amount = round(budget.in_currency(usd), 4)
    return AtMost(amount=amount, currency=budget.submit.currency, hours=round(hours, 4))


def told_cost(budget: Budget, record: dict[str, Any], hours: float) -> dict[str, Any]:
    """The record with its cost, as it is printed; nothing is written, since who submits may only read results."""
    cost = cost_of(budget, record, hours)
    if cost is None:
        return record
    log.info(
        "cost=%.2f currency=%s hours=%.2f because of all nodes that it asked for", cost.amount, cost.currency, hours
    )
    return record | {"cost": record["cost"] | {"at_most": asdict(cost)}}
