"""What a run has used of what clouds bill, as ``run.json`` tells it under ``cost``."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.settings.rates import Rates


class ClusterUse(NamedTuple):
    """What Spark knows: hours of executors' cores, and the connectors' requests by kind; None where it cannot tell."""

    core_hours: float | None = None
    connector_requests: dict[str, int] | None = None


class AtMost(BaseModel):
    """What a submitted job has cost at most.

    Attributes:
        amount: Of all that it asked for, for ``hours``, and of the requests that were counted.
        currency: Its currency.
        hours: From the start of the command to its end, and those that its cluster is assumed to take to start.
    """

    model_config = ConfigDict(frozen=True)

    amount: float
    currency: str
    hours: float


class Spent(BaseModel):
    """What a run has used.

    Attributes:
        hours: From its start to its end.
        core_hours: Hours of all executors' cores; here, those of this machine.
        requests: Requests by the job's own clients of S3 and GCS, on the driver and in Python workers, by kind.
        connector_requests: Requests by Hadoop's connectors in the driver's JVM; ``total``, and the kinds where the
            connector tells them. None where there is no such connector.
        at_most: What that has cost; None where the job was given no rates.
    """

    model_config = ConfigDict(frozen=True)

    hours: float
    core_hours: float | None
    requests: dict[str, int]
    connector_requests: dict[str, int] | None
    at_most: AtMost | None = None

    def at(self, rates: Rates) -> "Spent":
        """The same with its cost by these rates; requests whose kind is not known count as the dear one."""
        counts = [self.requests, self.connector_requests or {}]
        reads = sum(count.get("get", 0) + count.get("head", 0) for count in counts)
        free = sum(count.get("delete", 0) for count in counts)
        every = sum(count.get("total", sum(count.values())) for count in counts)
        hours = self.hours + rates.start
        paid = hours * rates.hour + ((every - reads - free) * rates.write + reads * rates.read) / 1_000
        cost = AtMost(amount=round(paid, 4), currency=rates.currency, hours=round(hours, 4))
        return self.model_copy(update={"at_most": cost})
