"""Settings of a job run on EMR Serverless."""

from typing import Annotated

from cyclopts import Parameter
from pydantic import AfterValidator, Field

from fruits_pipeline.settings.emr import parted
from fruits_pipeline.settings.room import Room, matching

Names = Annotated[tuple[str, ...], AfterValidator(parted), Parameter(negative="", show_default=False)]


class EmrServerlessSettings(Room):
    """What only this platform takes; the role is the one that config/emr/README.md makes."""

    application_id: (
        Annotated[str, matching(r"[0-9a-z]+", "the id of an application, such as 00abcdefgh1jkl2m")] | None
    ) = Field(
        None,
        description="EMR Serverless application to use; by default the one of --application-name.",
    )
    application_name: (
        Annotated[str, matching(r"[A-Za-z0-9._/#-]{1,64}", "up to 64 letters, digits and . _ / # -")] | None
    ) = Field(
        None,
        description="Application to use, made where there is none; by default fruits-pipeline with release "
        "and architecture.",
    )
    execution_role_arn: (
        Annotated[str, matching(r"arn:aws[\w-]*:iam::\d{12}:role/.+", "arn:aws:iam::ACCOUNT:role/NAME")] | None
    ) = Field(
        None,
        description="Role of the job, which says what it may access.",
    )
    # Seven days since EMR 7.11: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/release-version-7110.html
    execution_timeout_minutes: int = Field(
        1440, ge=5, le=10_080, description="Minutes after which EMR Serverless itself ends the job."
    )
    max_attempts: int = Field(
        1, ge=1, le=10, description="Times that EMR Serverless starts the job before it has failed; each one resumes."
    )
    worker_disk_gb: int = Field(20, ge=20, le=200, description="Disk of the driver and of each executor, in GB.")
    subnet: Names = Field(
        (),
        description="Subnets of an application that is made, in zones that EMR Serverless has; repeatable. Without any "
        "it reaches S3, and neither the internet nor a VPC.",
    )
    security_group: Names = Field((), description="Security groups of such an application; repeatable.")
    initial_executors: int = Field(
        0,
        ge=0,
        le=1000,
        description="Executors, and then a driver too, that an application that is made keeps ready while it is "
        "started; they cost as much as working ones.",
    )
    image_uri: Annotated[str, matching(r"[^\s/]+\.dkr\.ecr\.[^\s/]+/\S+", "the address of an image in ECR")] | None = (
        Field(None, description="Image of ECR, in the same region, of the workers of an application that is made.")
    )
