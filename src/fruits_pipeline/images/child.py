"""What runs in the child of ``isolation``: requests in, decoded images out, over one socket.

A message is its length in bytes (8, little-endian), then a pickle. The parent sends one ``Task``, which is
answered by None once the function is loaded; after that each ``Request`` is answered by the function's
result, or by the exception that it raised. The end of the stream is the end of the child.
"""

import math
import pickle
import resource
import signal
import socket
import struct
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from fruits_pipeline.images.decode import Decoded, Rejected

Decode = Callable[[bytes, int, int], Decoded | Rejected]
"""Anything called as ``decode.decode`` is: content, ``image_size``, ``max_pixels``."""

_LENGTH = struct.Struct("<Q")
# Seconds that the parent has to end a child past its deadline, before the child ends itself.
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Task:
    """What the child is for: the function to call, and its deadline in seconds."""

    decode: Decode
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Request:
    """One image to decode; the arguments of ``decode.decode``."""

    content: bytes
    image_size: int
    max_pixels: int


def send(link: socket.socket, message: object, until_s: float = math.inf) -> None:
    """Send one message.

    Args:
        link: the connected socket.
        message: anything that can be pickled.
        until_s: the time of ``time.monotonic()`` at which to give up.

    Raises:
        TimeoutError: When the other side has not taken it by then.
        OSError: When the other side is gone.
    """
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    link.settimeout(_left_s(until_s))
    link.sendall(_LENGTH.pack(len(body)) + body)


def receive(link: socket.socket, until_s: float = math.inf) -> object:
    """The next message.

    Args:
        link: the connected socket.
        until_s: the time of ``time.monotonic()`` at which to give up.

    Raises:
        TimeoutError: When it is not complete by then.
        EOFError: When the other side has closed before it was complete.
        OSError: When the connection broke.
    """
    (length,) = _LENGTH.unpack(_exactly(link, _LENGTH.size, until_s))
    return pickle.loads(_exactly(link, length, until_s))  # noqa: S301 because only our own child and parent write here


def serve(descriptor: int) -> None:
    """Answer requests on the socket ``descriptor`` until its other end is closed."""
    # The parent decides when to stop; an interrupt at the terminal reaches both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The default action ends even a child that hangs in native code, should the parent be dead.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=descriptor) as link:
        task = receive(link)
        if not isinstance(task, Task):
            raise TypeError(f"expected a Task first, got {task!r}")
        send(link, None)
        while True:
            try:
                request = receive(link)
            except (EOFError, ConnectionError):
                return
            _answer(link, task, request)


def _answer(link: socket.socket, task: Task, request: object) -> None:
    if not isinstance(request, Request):
        raise TypeError(f"expected a Request, got {request!r}")
    signal.setitimer(signal.ITIMER_REAL, task.deadline_s + _GRACE_S)
    found: Decoded | Rejected | Exception
    try:
        found = task.decode(request.content, request.image_size, request.max_pixels)
    except MemoryError:
        raise
    except Exception as bug:  # noqa: BLE001 because the parent raises it: there a bug is handled as one
        bug.add_note(f"In the child process:\n{traceback.format_exc()}")
        found = bug
    signal.setitimer(signal.ITIMER_REAL, 0)
    send(link, found)


def _exactly(link: socket.socket, length: int, until_s: float) -> bytearray:
    found = bytearray(length)
    view = memoryview(found)
    filled = 0
    while filled < length:
        link.settimeout(_left_s(until_s))
        count = link.recv_into(view[filled:])
        if count == 0:
            raise EOFError(f"the stream ended after {filled} of {length} bytes")
        filled += count
    return found


def _left_s(until_s: float) -> float | None:
    """Seconds left, None for any number; never 0, which would mean "do not wait at all" to a socket."""
    return None if math.isinf(until_s) else max(until_s - time.monotonic(), 1e-6)
