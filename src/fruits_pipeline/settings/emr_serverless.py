"""Settings of a job run on EMR Serverless."""

from pydantic import Field

from fruits_pipeline.settings.room import Room


class EmrServerlessSettings(Room):
    """What only this platform takes; the role is the one that config/emr/README.md makes."""

    application_id: str | None = Field(
        None, pattern="^[0-9a-z]+$", description="Application that takes the run; by default one is found by its name."
    )
    application_name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._/#-]{1,64}$",
        description="Application to find, or to make; by default fruits-pipeline with release and architecture.",
    )
    execution_role_arn: str | None = Field(
        None, pattern=r"^arn:aws[\w-]*:iam::\d{12}:role/.+$", description="Role of the run: what the job may."
    )
    # Seven days since EMR 7.11: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/release-version-7110.html
    execution_timeout_minutes: int = Field(
        1440, ge=5, le=10_080, description="Minutes after which EMR Serverless itself ends the run."
    )
