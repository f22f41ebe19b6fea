"""Settings of ``score``: whose models say what new images show."""

from fruits_pipeline.settings.models import ModelsSettings


class ScoreSettings(ModelsSettings):
    """Which models; all classifiers that are asked for and that the output has give predictions."""
