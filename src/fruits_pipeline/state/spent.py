"""What a run has used of what clouds bill, as ``run.json`` tells it under ``cost``."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class ClusterUse(NamedTuple):
    """What Spark knows: hours of executors' cores, and the connectors' requests by kind; None where it cannot tell."""

    core_hours: float | None = None
    connector_requests: dict[str, int] | None = None


class AtMost(BaseModel):
    """The most that a submitted job has cost, which ``submit --wait`` adds after its end.

    Attributes:
        amount: Of all nodes that the job asked for, for all hours, and of the requests.
        currency: Its currency.
        hours: From the submission to the end.
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
        at_most: What that has cost; None where nobody bills it, or nobody waited for the end.
    """

    model_config = ConfigDict(frozen=True)

    hours: float
    core_hours: float | None
    requests: dict[str, int]
    connector_requests: dict[str, int] | None
    at_most: AtMost | None = None
