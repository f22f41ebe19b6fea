"""Settings of a job run on EMR Serverless."""

from fruits_pipeline.settings.room import Room


class EmrServerlessSettings(Room):
    """What only this platform takes."""
