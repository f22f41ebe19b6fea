"""The connection to Spark's JVM: how a JVM of our own is started, and how an interruption ends calls and JVM."""

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakSet

from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway

from fruits_pipeline.errors import Interrupted
from fruits_pipeline.session.interrupt import on_interruption, raise_if_interrupted
from fruits_pipeline.session.jobs import cancellation, is_grouped

# Seconds for the JVM to write why it did not start, and to turn its log off.
_LAST_WORDS_S = 1.0
_SILENCE_S = 0.5
# Seconds in which cancelled jobs should have ended the call that waits for them: fewer than the lease's margin.
_CANCEL_S = 2.0


def connect(conf: SparkConf) -> None:
    """Connects ``SparkContext`` to a JVM: the one of ``spark-submit``, else a new one with ``conf``.

    A new JVM writes to stderr alone, through this process, so that it is silent after an interruption, and so that no
    reader of this process's output waits for it.
    """
    raise_if_interrupted()
    if SparkContext._gateway is None:  # noqa: SLF001 because Spark has no public way to ask for a JVM without a context
        SparkContext._ensure_initialized(gateway=_started(conf), conf=conf)  # noqa: SLF001 because of the same
    gateway = SparkContext._gateway  # noqa: SLF001 because of the same
    if not _calls or _calls[0].gateway is not gateway:
        _calls[:] = [_Calls(gateway)]
    on_interruption(_calls[0].interrupt, _calls[0].wait)


def _started(conf: SparkConf) -> Any:
    read, write = os.pipe()
    copy = threading.Thread(target=_copy, args=(read,), name="jvm-stderr", daemon=True)
    copy.start()
    with os.fdopen(write, "wb") as stderr:
        try:
            return launch_gateway(conf, {"stdout": stderr, "stderr": stderr})  # type: ignore[no-untyped-call]  # because PySpark leaves it so
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


class _Calls:
    """The calls to the JVM. py4j keeps a connection a thread and no list of those in use: here each is remembered."""

    def __init__(self, gateway: Any) -> None:
        self.gateway = gateway
        self._client = gateway._gateway_client  # noqa: SLF001 because PySpark and py4j give it under this name only
        self._process: subprocess.Popen[bytes] | None = gateway.proc
        self._connections = WeakSet(self._client.deque)
        self._keep = self._client.set_thread_connection
        self._client.set_thread_connection = self._remember

    def _remember(self, connection: Any) -> None:
        self._connections.add(connection)
        self._keep(connection)

    def end(self, error: BaseException) -> None:
        """Ends the calls that wait for an answer, refuses new ones by ``error``, and asks a JVM of ours to end.

        A connection is out of step after an ended call, so nothing may be called through it again.
        """

        def refuse(*_command: object, **_options: object) -> None:
            raise error

        self._client.send_command = refuse
        for used in [*self._connections]:
            with contextlib.suppress(OSError, AttributeError):
                used.socket.shutdown(socket.SHUT_RDWR)
        if self._process is not None:
            self._process.terminate()

    def interrupt(self, number: int) -> None:
        """Does so after a signal."""
        if self._process is None:
            _silence()
        self.end(Interrupted(number))

    def wait(self, wait_s: float) -> None:
        """Waits so long for our JVM, then kills it."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(wait_s)
            self._process.kill()


_calls: Final[list[_Calls]] = []


@contextmanager
def stoppable(context: SparkContext) -> Iterator[Callable[[], None]]:
    """Gives a function by which another thread stops the block: it cancels all jobs, and soon all calls to the JVM.

    A call that waits for storage that is gone ends by no cancelled job: Hadoop's S3 client tries again for
    minutes. In somebody else's session only the block's own jobs are cancelled, until the block has ended.
    """
    ended = threading.Event()
    cancel, is_lent = cancellation(context), is_grouped(context)

    def stop() -> None:
        cancel()
        while not ended.wait(_CANCEL_S):
            if not is_lent:
                _end_calls(context)
                return
            cancel()

    try:
        yield stop
    finally:
        ended.set()


def _end_calls(context: SparkContext) -> None:
    # Python's server of accumulators would print a trace for the JVM that is gone.
    server: Any = context._accumulatorServer  # noqa: SLF001 because Spark has no other way
    server.handle_error = lambda *_: None
    _calls[0].end(PySparkException("the call was given up because the job is to stop"))
