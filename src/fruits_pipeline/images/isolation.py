"""Decoding in a disposable child process, so that a decoder's crash or hang costs one image.

The child is a fresh interpreter on a socket pair: it inherits no threads, locks or native libraries of this
process (as a fork would), does not import this process' main module (as ``multiprocessing`` would), and
leaves standard output alone, which belongs to Spark in a Python worker. Its errors go to this process'
standard error.
"""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.images.child import Decode, Request, Task, receive, send
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.reason import Reason

# A start takes 0.12 s on an idle machine; a busy node may need much longer, and nothing is wrong with it.
_START_LIMIT_S = 60.0
# A child that broke its socket is dead or dying.
_DEATH_LIMIT_S = 5.0
# Packages that Spark brought are on this process' path only, so the child is given that path.
_BOOT = """
import sys
sys.path[:] = sys.argv[2:]
from fruits_pipeline.images.child import serve
serve(int(sys.argv[1]))
"""


class IsolatedDecoder:
    """A decoder that survives what it decodes; a context manager, for use by one thread.

    The child starts at the first image, or by ``start``. It is kept while it is healthy, and replaced after a crash or
    a timeout. Leaving the context ends it, also after an error. Should this process die, the child ends itself.
    """

    def __init__(self, deadline_s: float, decode: Decode = decode) -> None:
        """Start nothing yet.

        Args:
            deadline_s: seconds that one image may take, above 0; the start of a child does not count.
            decode: what to call in the child, found there by its module and name.
        """
        self._task = Task(decode, deadline_s)
        self._child: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._ready_until_s: float | None = None

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child."""
        self.close()

    def close(self) -> None:
        """End the child and take leave of it, so that no zombie stays; harmless when there is none."""
        link, child = self._link, self._child
        self._link = self._child = self._ready_until_s = None
        if link is not None:
            link.close()
        if child is not None:
            child.kill()
            child.wait()

    def decode(self, content: bytes, image_size: int, max_pixels: int) -> Decoded | Rejected:
        """What ``decode.decode`` gives for these arguments, or a reject ``crashed``, ``killed`` or ``timeout``.

        Args:
            content: the whole file.
            image_size: pixels, of both sides of the result.
            max_pixels: width times height of the original, above which nothing is decoded.

        Raises:
            SettingsError: When no child can be started.
            Exception: Whatever the function raised in the child: a bug, not a bad image.
        """
        link = self._ready()
        until_s = time.monotonic() + self._task.deadline_s
        # Whatever ends this early leaves an answer on its way, which must not be taken for the next image's.
        with contextlib.ExitStack() as unanswered:
            unanswered.callback(self.close)
            try:
                send(link, Request(content, image_size, max_pixels), until_s)
                answer = receive(link, until_s)
            except TimeoutError:
                return Rejected(Reason.TIMEOUT, f"not decoded within {self._task.deadline_s:g} s")
            except (EOFError, ConnectionError):
                death = self._death()
                reason = Reason.KILLED if death == signal.SIGKILL.name else Reason.CRASHED
                return Rejected(reason, f"the decoder died: {death}")
            unanswered.pop_all()
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, Decoded | Rejected):
            self.close()
            raise TypeError(f"expected the child to answer Decoded or Rejected, got {answer!r}")
        return answer

    def start(self) -> None:
        """Starts the child and does not wait for it, so that it gets ready beside other work.

        Raises:
            SettingsError: When no child can be started.
        """
        if self._link is None:
            self._start()

    def _ready(self) -> socket.socket:
        """The link to a living child, started where there is none."""
        if self._child is not None and self._child.poll() is not None and self._ready_until_s is None:
            # Killed between two images, by the system perhaps: neither image is to blame.
            self.close()
        link = self._start() if self._link is None else self._link
        if self._ready_until_s is not None:
            with self._starting():
                receive(link, self._ready_until_s)
            self._ready_until_s = None
        return link

    def _start(self) -> socket.socket:
        link, theirs = socket.socketpair()
        self._link = link
        descriptor = theirs.fileno()
        arguments = [sys.executable, "-c", _BOOT, str(descriptor), *sys.path]
        self._ready_until_s = time.monotonic() + _START_LIMIT_S
        with self._starting():
            with theirs:
                self._child = subprocess.Popen(
                    arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=(descriptor,)
                )
            send(link, self._task, self._ready_until_s)
        return link

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """Says what is wrong where the block finds no child that gets ready."""
        try:
            yield
        except (EOFError, OSError) as fault:
            raise SettingsError(
                f"expected a child process of {sys.executable!r} to be ready to decode images within "
                f"{_START_LIMIT_S:g} s, found that it is not ({fault}; {self._death()}); its own words stand "
                "above in standard error; decode without isolation, or repair that interpreter's packages"
            ) from fault

    def _death(self) -> str:
        """How the child died, as a signal's name or an exit code; it is ended if it lingers, which is no signal."""
        code = None
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._child.wait(_DEATH_LIMIT_S)
        self.close()
        if code is None:
            return "no exit code"
        if code >= 0:
            return f"exit code {code}"
        return signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
