"""Settings of a step on EMR."""

import re
from typing import Annotated

from cyclopts import Parameter
from pydantic import AfterValidator, Field

from fruits_pipeline.settings.room import Room, matching


def parted(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each name alone; `aws --output text` separates them by tabs."""
    return tuple(name for value in values for name in re.split(r"[\s,]+", value) if name)


class EmrSettings(Room):
    """What only this platform takes; the roles are those that config/emr/README.md makes."""

    cluster_id: Annotated[str, matching(r"j-[A-Z0-9]+", "the id of a cluster, such as j-2AXXXXXXGAPLF")] | None = Field(
        None,
        description="Running cluster to use; by default one is made for the job and ends with it.",
    )
    subnet: Annotated[tuple[str, ...], AfterValidator(parted), Parameter(negative="", show_default=False)] = Field(
        (),
        description="Subnets for the cluster, best one in each zone, separated by commas or blanks; repeatable. "
        "EMR picks one of them.",
    )
    service_role: str = Field("fruits-pipeline-emr", description="Role by which EMR starts and ends nodes.")
    node_profile: str = Field(
        "fruits-pipeline-nodes", description="Instance profile of the nodes, which says what the job may access."
    )
    primary_type: str | None = Field(
        None,
        description="Type of the primary node, which runs no part of the job; by default m6i.xlarge or m6g.xlarge.",
    )
    longest_run_s: int = Field(
        86_400,
        ge=600,
        le=2_592_000,
        description="Seconds after which a step ends on a cluster that is made for it, and the cluster with it.",
    )
