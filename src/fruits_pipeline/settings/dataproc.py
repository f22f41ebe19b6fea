"""Settings of a job on Dataproc."""

from typing import Annotated

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.google import GoogleSettings


class DataprocSettings(GoogleSettings):
    """On which cluster the job runs, and how long the one that is made for it may live."""

    cluster: str | None = Field(
        None, description="Running cluster to use; by default one is made for the job and ends with it."
    )
    master_machine_type: str = Field(
        "n2-standard-4", description="Machine type of the master of a cluster that is made for the job."
    )
    jupyter: Annotated[bool, Parameter(negative="")] = Field(
        False, description="Put Jupyter on the cluster that is made for the job, to look at it while it runs."
    )
    # https://cloud.google.com/dataproc/docs/concepts/configuring-clusters/scheduled-deletion
    idle_delete_s: int = Field(
        1800,
        ge=300,
        le=1_209_600,
        description="Idle seconds after which a cluster that was made for the job deletes itself.",
    )
    # https://cloud.google.com/dataproc/docs/concepts/workflows/use-workflows#workflow_timeout
    longest_run_s: int = Field(
        86_400, ge=600, le=86_400, description="Seconds after which Dataproc ends the job and deletes its cluster."
    )
