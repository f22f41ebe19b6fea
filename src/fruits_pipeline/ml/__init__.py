"""Stages for Spark ML pipelines, and the whole job, on the Spark session that is there.

The public interface of this package in Python; a session that somebody else started is never stopped.
"""

from fruits_pipeline.ml.classifier import FruitsClassifier
from fruits_pipeline.ml.features import FruitsFeatures
from fruits_pipeline.ml.job import run
from fruits_pipeline.ml.reduction import FruitsReduction

__all__ = ["FruitsClassifier", "FruitsFeatures", "FruitsReduction", "run"]
