"""Settings of a submission that all platforms share: what is sent where, how large, and how it is followed."""

import re
from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import AfterValidator, Field

from fruits_pipeline.settings.room import Room, matching
from fruits_pipeline.settings.session import Memory

Arch = Literal["x86_64", "arm64"]
JobName = Literal["run", "score"]
Currency = Literal["USD", "EUR"]
_TAG = re.compile(r"([A-Za-z][\w-]{0,62})=([\w.-]{0,63})")


def _tag(value: str) -> str:
    """KEY=VALUE in what both clouds take."""
    if not _TAG.fullmatch(value):
        raise ValueError("expected KEY=VALUE of letters, digits, - and _, such as team=fruits")
    return value


class SizeSettings(Room):
    """How large the cluster and its executors are; what is left open follows from the machine type."""

    machine_type: str | None = Field(
        None, description="Type of the worker nodes; by default m6i.xlarge or n2-standard-4."
    )
    nodes: int = Field(
        3, ge=1, le=1000, description="Most worker nodes; a cluster starts with two of them and grows as the job needs."
    )
    executors: int | None = Field(
        None, ge=1, description="Most Spark executors; by default as many as the nodes can hold."
    )
    executor_cores: int | None = Field(None, ge=1, le=64, description="Cores of each executor; by default at most 4.")
    executor_memory: Memory | None = Field(None, description="Java heap of each executor, such as 8g.")
    executor_memory_overhead: Memory | None = Field(
        None, description="Memory of each executor beside its Java heap, in which its Python workers run; such as 4g."
    )


class SubmitSettings(SizeSettings):
    """What is sent, and how it is followed."""

    job: JobName = Field("run", description="Command to run on the cluster.")
    target: str | None = Field(
        None,
        description="Release of the cluster, a name in config/releases.json; by default the platform's "
        "release with Spark 3.5.",
    )
    bundle: str | None = Field(
        None,
        description="Folder that `bundle` wrote, or the address of the index.json that it uploaded; "
        "by default dist/TARGET-ARCH.",
    )
    region: str | None = Field(
        None,
        description="Region; by default that of aws (environment, profile) or gcloud (environment, configuration), "
        "else one in the EU (eu-west-1, europe-west1).",
    )
    name: Annotated[
        str, matching("[a-z][a-z0-9-]{0,39}", "at most 40 small letters, digits and dashes, the first a letter")
    ] = Field(
        "fruits-pipeline",
        description="Name of the job; its id is this name and a hash of all settings that are submitted.",
    )
    log_uri: str | None = Field(
        None, description="Folder of the cluster's logs; by default logs/ in the output's bucket."
    )
    tag: Annotated[tuple[Annotated[str, AfterValidator(_tag)], ...], Parameter(negative="", show_default=False)] = (
        Field((), description="Tag (AWS) or label (Google) KEY=VALUE for everything that costs money; repeatable.")
    )
    dry_run: Annotated[bool, Parameter(negative="")] = Field(
        False, description="Print the aws or gcloud line and the request, and send nothing."
    )
    check: Annotated[bool, Parameter(negative="")] = Field(
        False, description="Make the checks that come before every start, print what they found, and make nothing."
    )
    despite_faults: Annotated[bool, Parameter(negative="")] = Field(
        False, description="Start the job though those checks found faults, which are logged as warnings."
    )
    wait: Annotated[bool, Parameter(negative="")] = Field(
        False, description="Wait for the end of the job, and end with its exit code."
    )
    deadline_s: int = Field(86_400, ge=60, description="With --wait: seconds after which the job is cancelled.")
    images: int | None = Field(
        None,
        ge=1,
        description="Images to estimate the cost for; by default those of the last run, else as many as a short "
        "listing counts; with --max-cost the listing comes first.",
    )
    currency: Currency = Field("USD", description="Currency of the estimate and of --max-cost.")
    max_cost: float | None = Field(
        None,
        gt=0,
        description="Refuse a job whose estimate is higher; with --wait also cancel it when the nodes it asked for "
        "have cost as much.",
    )
