"""Settings of a batch on Dataproc Serverless."""

from fruits_pipeline.settings.room import Room


class DataprocServerlessSettings(Room):
    """What only this platform takes."""
