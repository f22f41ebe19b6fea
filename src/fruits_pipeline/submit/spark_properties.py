"""Spark's properties of a submitted job."""

import logging
from collections.abc import Mapping
from typing import Final, Literal

from fruits_pipeline.clusters.sizing import Sizes
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.spark_conf import NEEDED, is_secret, with_own

log = logging.getLogger(__name__)

Cloud = Literal["emr", "dataproc", "dataproc-serverless"]
# The archives appear under these names in the working directory of driver and executors.
ENVIRONMENT_AS, MODELS_AS = "environment", "models"
PYTHON = f"./{ENVIRONMENT_AS}/bin/python"
# Set here too, because Spark may open the file system before the job does; session/buckets.py says why.
_NO_CHECK = {"spark.hadoop.fs.gs.create.items.conflict.check.enable": "false"}
_OF_A_CLOUD: dict[Cloud, dict[str, str]] = {"emr": {}, "dataproc": _NO_CHECK, "dataproc-serverless": _NO_CHECK}
# Properties that follow from settings of their own, by which executors, requests and the estimate are sized.
_FLAGS: Final = {
    "spark.driver.memory": "--driver-memory",
    "spark.driver.memoryOverhead": "--driver-memory",
    "spark.driver.cores": "--executor-cores",
    "spark.executor.memory": "--executor-memory",
    "spark.executor.memoryOverhead": "--executor-memory-overhead",
    "spark.executor.cores": "--executor-cores",
    "spark.executor.instances": "--executors",
    "spark.dynamicAllocation.maxExecutors": "--executors",
    "spark.emr-serverless.driver.disk": "--worker-disk-gb",
    "spark.emr-serverless.executor.disk": "--worker-disk-gb",
}
# Without these the driver is not found again, is started twice beside its own lease, or has no Python, and executors
# are more than was estimated.
_NEEDED: Final = NEEDED | {
    "spark.app.name",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.initialExecutors",
    "spark.dynamicAllocation.minExecutors",
    "spark.archives",
    "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON",
    "spark.emr-serverless.driverEnv.PYSPARK_PYTHON",
    "spark.executorEnv.PYSPARK_PYTHON",
    "spark.pyspark.driver.python",
    "spark.pyspark.python",
    "spark.submit.deployMode",
    "spark.yarn.appMasterEnv.PYSPARK_PYTHON",
    "spark.yarn.dist.archives",
    "spark.yarn.maxAppAttempts",
}


def spark_properties(cloud: Cloud, cut: Sizes, own: Mapping[str, str]) -> dict[str, str]:
    """The properties that a job of these sizes has on ``cloud``, with the user's ``own``.

    Raises:
        SettingsError: When a flag sets what one of them says.
    """
    if taken := sorted(own.keys() & _FLAGS.keys()):
        told = ", ".join(f"{_FLAGS[key]} in place of {key}" for key in taken)
        raise SettingsError(f"--spark-conf: expected {told}")
    for key in filter(is_secret, own):
        log.warning("%s: its value is part of the request, which the cloud shows; better give the nodes a role", key)
    return with_own(cut.properties() | _common(cut) | _OF_A_CLOUD[cloud], own, _NEEDED)


def _common(cut: Sizes) -> dict[str, str]:
    return {
        "spark.submit.deployMode": "cluster",
        # A second attempt would start from zero beside the first one's lease; the same command resumes instead.
        "spark.yarn.maxAppAttempts": "1",
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.minExecutors": "1",
        "spark.dynamicAllocation.maxExecutors": str(cut.executors),
        "spark.yarn.appMasterEnv.PYSPARK_PYTHON": PYTHON,
        "spark.executorEnv.PYSPARK_PYTHON": PYTHON,
        "spark.python.daemon.module": "fruits_pipeline.session.daemon",
        # The job has no tables. A cluster's catalogue (Glue, Hive) takes rights and time at the first query.
        "spark.sql.catalogImplementation": "in-memory",
        # Node statistics of the forest are arrays of doubles, which Java's own serialisation writes slowly.
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.kryoserializer.buffer.max": "1g",
    }
