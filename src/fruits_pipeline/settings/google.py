"""Settings that every way of running on Google Cloud takes."""

from typing import Annotated

from pydantic import Field

from fruits_pipeline.settings.room import Room, matching


class GoogleSettings(Room):
    """Whose project, on whose behalf, in which network, with which key."""

    gcp_project: str | None = Field(
        None, description="Project that runs and pays; by default that of your credentials."
    )
    service_account: str | None = Field(
        None,
        description="Service account that the job runs as; by default the project's default one, which may "
        "access more.",
    )
    subnetwork: str | None = Field(None, description="Subnetwork with Private Google Access; by default the network's.")
    staging_bucket: str | None = Field(
        None,
        description="Bucket for Dataproc's own temporary files; by default one that Google makes. "
        "Runtimes 3.0 of Serverless have none.",
    )
    kms_key: str | None = Field(None, description="Full name of your own key for disks; by default Google's keys.")
    dataproc_endpoint_url: (
        Annotated[str, matching(r"https?://[^/@]+", "a URL such as https://dataproc.example.com, without a path")]
        | None
    ) = Field(
        None,
        description="Address of another server of Dataproc's API, such as one for tests.",
    )
