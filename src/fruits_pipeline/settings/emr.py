"""Settings of a step on EMR."""

from fruits_pipeline.settings.room import Room


class EmrSettings(Room):
    """What only this platform takes."""
