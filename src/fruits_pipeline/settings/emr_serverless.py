"""Settings of a job run on EMR Serverless."""

from typing import Annotated

from pydantic import Field

from fruits_pipeline.settings.room import Room, matching


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
