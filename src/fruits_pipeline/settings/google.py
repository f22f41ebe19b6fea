"""Settings that every way of running on Google Cloud takes."""

from pydantic import Field

from fruits_pipeline.settings.room import Room


class GoogleSettings(Room):
    """Whose project, on whose behalf, in which network, with which key."""

    gcp_project: str | None = Field(None, description="Project that runs and pays; by default that of the credentials.")
    service_account: str | None = Field(
        None, description="Account that the job runs as; by default the project's own for machines, which may do more."
    )
    subnetwork: str | None = Field(None, description="Subnetwork with Private Google Access; by default the network's.")
    staging_bucket: str | None = Field(
        None,
        description="Bucket of the service's own temporary files; by default one that Google makes. "
        "Runtimes 3.0 of Serverless have none.",
    )
    kms_key: str | None = Field(None, description="Full name of your own key for disks; by default Google's keys.")
    dataproc_endpoint_url: str | None = Field(
        None, pattern="^https?://[^/@]+$", description="Address of another server of Dataproc's API, such as a test's."
    )
