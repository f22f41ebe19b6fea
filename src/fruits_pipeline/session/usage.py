"""What a Spark application has used of a cluster: hours of executors' cores, and requests of Hadoop's connectors."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from fruits_pipeline.state.spent import ClusterUse

# S3A counts every request under its own kind and in a total; the rest are multipart uploads and their lists, which are
# billed as PUT. Compared with a server's own count on Hadoop 3.3.4.
_S3A_TOTAL: Final = "store_io_request"
_S3A: Final = {
    "list": ("object_list_request", "object_continue_list_request"),
    "get": ("action_http_get_request",),
    "head": ("object_metadata_request",),
    "delete": ("object_delete_request", "object_bulk_delete_request"),
}
# The connector of GCS tells no kinds before its version 3.
_GCS_TOTAL: Final = "gcs_api_total_request_count"


class Usage:
    """Counts from its creation on: a session of others, and a process' statistics, are older than the command."""

    def __init__(self, spark: SparkSession) -> None:
        """``spark`` is the session in use."""
        self._spark = spark
        self._since = datetime.now(UTC)
        self._before = self._connectors()

    def so_far(self) -> ClusterUse:
        """What was used; nothing of a JVM that is gone."""
        try:
            return ClusterUse(round(self._core_hours(), 4), kinds_of(self._connectors() - self._before))
        except (Py4JError, PySparkException, OSError):
            return ClusterUse()

    def _core_hours(self) -> float:
        """Of the executors that Spark remembers: all that live, and the last hundred that do not."""
        jvm: Any = self._spark.sparkContext._jsc  # noqa: SLF001 because PySpark has no access to Spark's status store
        executors = jvm.sc().statusStore().executorList(False)
        return sum(self._hours_of(executors.apply(index)) for index in range(executors.size()))

    def _hours_of(self, executor: Any) -> float:
        removed = executor.removeTime()
        end = _moment(removed.get()) if removed.isDefined() else datetime.now(UTC)
        seconds = (end - max(_moment(executor.addTime()), self._since)).total_seconds()
        return max(0.0, seconds) * int(executor.totalCores()) / 3600

    def _connectors(self) -> Counter[str]:
        """Hadoop's statistics of all file systems of this JVM, by name."""
        jvm: Any = self._spark.sparkContext._jvm  # noqa: SLF001 because Spark has no public way to ask
        found: Counter[str] = Counter()
        for system in _each(jvm.org.apache.hadoop.fs.FileSystem.getGlobalStorageStatistics().iterator()):
            names = {_S3A_TOTAL, _GCS_TOTAL, *(name for kind in _S3A.values() for name in kind)}
            for name in names if system.isTracked(_S3A_TOTAL) or system.isTracked(_GCS_TOTAL) else ():
                found[name] += int(system.getLong(name) or 0) if system.isTracked(name) else 0
        return found


def kinds_of(statistics: "Counter[str]") -> dict[str, int] | None:
    """Requests by kind, from names of Hadoop's statistics; None without any.

    >>> kinds_of(Counter({"store_io_request": 10, "object_list_request": 3, "object_metadata_request": 2}))
    {'total': 10, 'list': 3, 'get': 0, 'head': 2, 'delete': 0, 'put': 5}
    >>> kinds_of(Counter({"gcs_api_total_request_count": 7})), kinds_of(Counter())
    ({'total': 7}, None)
    """
    if total := statistics[_S3A_TOTAL]:
        kinds = {kind: sum(statistics[name] for name in names) for kind, names in _S3A.items()}
        return {"total": total} | kinds | {"put": total - sum(kinds.values())}
    total = statistics[_GCS_TOTAL]
    return {"total": total} if total else None


def _each(iterator: Any) -> Iterator[Any]:
    while iterator.hasNext():
        yield iterator.next()


def _moment(moment: Any) -> datetime:
    """A ``java.util.Date``."""
    return datetime.fromtimestamp(moment.getTime() / 1000, UTC)
