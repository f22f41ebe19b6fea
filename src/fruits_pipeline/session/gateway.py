"""The connection to Spark's JVM: how a JVM of our own is started, and how an interruption ends calls and JVM."""

import contextlib
import os
import socket
import subprocess
import threading
from typing import Any
from weakref import WeakSet

from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway

from fruits_pipeline.errors import Interrupted
from fruits_pipeline.session.interrupt import on_interruption, raise_if_interrupted

# Seconds for the JVM to write why it did not start, and to turn its log off.
_LAST_WORDS_S = 1.0
_SILENCE_S = 0.5


def connect(conf: SparkConf) -> None:
    """Connects ``SparkContext`` to a JVM: the one of ``spark-submit``, else a new one with ``conf``.

    A new JVM writes its stderr through this process, so that it is silent after an interruption.
    """
    raise_if_interrupted()
    if SparkContext._gateway is None:  # noqa: SLF001 because Spark has no public way to ask for a JVM without a context
        SparkContext._ensure_initialized(gateway=_started(conf), conf=conf)  # noqa: SLF001 because of the same
    _interruptible(SparkContext._gateway)  # noqa: SLF001 because of the same


def _started(conf: SparkConf) -> Any:
    read, write = os.pipe()
    copy = threading.Thread(target=_copy, args=(read,), name="jvm-stderr", daemon=True)
    copy.start()
    with os.fdopen(write, "wb") as stderr:
        try:
            return launch_gateway(conf, {"stderr": stderr})  # type: ignore[no-untyped-call]  # because PySpark leaves it so
        except PySparkException:
            # What the JVM wrote about its failure stands before our own last line.
            stderr.close()
            copy.join(_LAST_WORDS_S)
            raise


def _copy(descriptor: int) -> None:
    """Copies a pipe to stderr; the pipe is also read where stderr is closed, so that its writer is never blocked."""
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while content := pipe.read(65_536):
            with contextlib.suppress(OSError):
                os.write(2, content)


def _silence() -> None:
    """Turns off the log of the JVM of ``spark-submit``, which gets Ctrl-C itself and then logs each task that it ends.

    By a thread of its own, because its connection to the JVM is not that of an interrupted call.
    """
    context = SparkContext._active_spark_context  # noqa: SLF001 because Spark has no public way to ask
    if context is not None:
        call = threading.Thread(target=context.setLogLevel, args=("OFF",), daemon=True)
        call.start()
        call.join(_SILENCE_S)


def _interruptible(gateway: Any) -> None:
    """Lets an interruption end the calls to the JVM that wait for an answer, refuse new ones, and end our JVM.

    A py4j connection is out of step after an interrupted call, so nothing may be called through it again. py4j keeps
    one connection a thread and no list of those in use: ``set_thread_connection`` sees each new one.
    """
    client = gateway._gateway_client  # noqa: SLF001 because PySpark and py4j give it under this name only
    process: subprocess.Popen[bytes] | None = gateway.proc
    connections = WeakSet(client.deque)
    keep = client.set_thread_connection

    def remember(connection: Any) -> None:
        connections.add(connection)
        keep(connection)

    def stop(number: int) -> None:
        if process is None:
            _silence()

        def refuse(*_command: object, **_options: object) -> None:
            raise Interrupted(number)

        client.send_command = refuse
        for used in [*connections]:
            with contextlib.suppress(OSError, AttributeError):
                used.socket.shutdown(socket.SHUT_RDWR)
        if process is not None:
            process.terminate()

    def finish(wait_s: float) -> None:
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(wait_s)
            process.kill()

    client.set_thread_connection = remember
    on_interruption(stop, finish)
