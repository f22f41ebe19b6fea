"""Settings of a step on EMR."""

from typing import Annotated

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.room import Room, matching


class EmrSettings(Room):
    """What only this platform takes; the roles are those that config/emr/README.md makes."""

    cluster_id: Annotated[str, matching(r"j-[A-Z0-9]+", "the id of a cluster, such as j-2AXXXXXXGAPLF")] | None = Field(
        None,
        description="Running cluster to use; by default one is made for the job and ends with it.",
    )
    subnet: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = Field(
        (), description="Subnet for the cluster; repeatable: name one in each zone, and EMR picks one of them."
    )
    service_role: str = Field("fruits-pipeline-emr", description="Role by which EMR starts and ends nodes.")
    node_profile: str = Field(
        "fruits-pipeline-nodes", description="Instance profile of the nodes, which says what the job may access."
    )
    primary_type: str | None = Field(
        None,
        description="Type of the primary node, which runs no part of the job; by default m6i.xlarge or m6g.xlarge.",
    )
