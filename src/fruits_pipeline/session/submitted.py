"""A process of ``spark-submit``, and its stderr: Spark joins the two outputs of a Python driver into its own stdout."""

import contextlib
import io
import os
import sys
from typing import Any, TextIO


def under_spark_submit() -> bool:
    """Whether ``spark-submit`` started this process; it then sets master and memory."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def stderr() -> TextIO | io.TextIOBase:
    """Where logs and faults go: stderr, under ``spark-submit`` that of its JVM, so that stdout has results alone."""
    return _JvmStderr() if under_spark_submit() else sys.stderr


class _JvmStderr(io.TextIOBase):
    """Text to the JVM's stderr, as UTF-8; to this process's where the JVM does not answer."""

    _stream: Any = None

    def write(self, text: str) -> int:
        """Writes it at once."""
        content = text.encode("utf-8", "backslashreplace")
        try:
            if self._stream is None:
                self._stream = _system_err()
            self._stream.write(content, 0, len(content))
        except _jvm_faults():
            with contextlib.suppress(OSError):
                sys.stderr.write(text)
        return len(text)


def _jvm_faults() -> tuple[type[Exception], ...]:
    """What a JVM that ended, or does not start, raises; imported only then, because all commands load this."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return Py4JError, PySparkException, OSError, AttributeError


def _system_err() -> Any:
    from pyspark import SparkConf, SparkContext  # late, because all other commands load this too

    from fruits_pipeline.session.gateway import connect

    connect(SparkConf())
    jvm: Any = SparkContext._jvm  # noqa: SLF001 because Spark has no public way to its JVM
    return jvm.System.err
