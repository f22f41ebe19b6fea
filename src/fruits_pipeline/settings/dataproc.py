"""Settings of a job on Dataproc."""

from fruits_pipeline.settings.room import Room


class DataprocSettings(Room):
    """What only this platform takes."""
