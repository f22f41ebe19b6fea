"""A look into one worker before the first wave: does it run the model as asked?"""

import logging
import time

import numpy as np
from pyspark.sql import SparkSession

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.errors import ModelError
from fruits_pipeline.session.spark import task_cpus
from fruits_pipeline.session.worker import told_by_worker
from fruits_pipeline.timeline import step

log = logging.getLogger(__name__)


def probe(spark: SparkSession, model: Model) -> None:
    """Loads the model in one task and predicts one white image.

    Raises:
        ModelError: With the worker's own words, when it cannot load the model or run it as asked.
    """
    shared, threads = spark.sparkContext.broadcast(model), task_cpus(spark)
    started_s = time.monotonic()

    def look() -> str | None:
        white = np.full((1, model_size, model_size, 3), 255, np.uint8)
        try:
            predictor(shared.value, threads)(white)
        except ModelError as error:
            return str(error)
        return None

    model_size = model.image_size
    with step("features: probe of a worker"):
        fault = told_by_worker(spark, look)
    if fault is not None:
        raise ModelError(fault)
    log.info(
        "model backbone=%s engine=%s precision=%s image_size=%d dimension=%d threads=%d sha256=%s worker_start_s=%.1f",
        model.backbone,
        model.engine,
        model.precision,
        model.image_size,
        model.dimension,
        threads,
        model.sha256[:12],
        time.monotonic() - started_s,
    )
