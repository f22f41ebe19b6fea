"""Settings of a batch on Dataproc Serverless."""

from pydantic import Field

from fruits_pipeline.settings.google import GoogleSettings


class DataprocServerlessSettings(GoogleSettings):
    """How long a batch may live, and in which image."""

    # https://cloud.google.com/dataproc-serverless/docs/reference/rest/v1/EnvironmentConfig#ExecutionConfig
    ttl_s: int = Field(86_400, ge=600, le=1_209_600, description="Seconds after which Google ends the batch.")
    container_image: str | None = Field(
        None,
        description="Container image of driver and executors, with the bundle's Python; by default the runtime's.",
    )
