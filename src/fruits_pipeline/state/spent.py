"""What a run has used of what clouds bill, as ``run.json`` tells it under ``cost``."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class ClusterUse(NamedTuple):
    """What Spark knows: hours of executors' cores, and the connectors' requests by kind; None where it cannot tell."""

    core_hours: float | None = None
    connector_requests: dict[str, int] | None = None


class Spent(BaseModel):
    """What a run has used.

    Attributes:
        hours: From its start to its end.
        core_hours: Hours of all executors' cores; here, those of this machine.
        requests: Requests by the job's own clients of S3 and GCS, on the driver and in Python workers, by kind.
        connector_requests: Requests by Hadoop's connectors in the driver's JVM; ``total``, and the kinds where the
            connector tells them. None where there is no such connector.
    """

    model_config = ConfigDict(frozen=True)

    hours: float
    core_hours: float | None
    requests: dict[str, int]
    connector_requests: dict[str, int] | None
