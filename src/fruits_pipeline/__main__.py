"""``python -m fruits_pipeline``: the same as ``fruits-pipeline``."""

from fruits_pipeline.cli import entry

entry()
