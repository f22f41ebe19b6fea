"""A line to a storage server on which every response comes late, as cheap in processor time as Python makes it.

It knows no HTTP but for the first line of a request, which it counts. The tests' proxy, which injects faults, takes
ten times the processor time for each request, and on the cores that the measured job runs on.
"""

import asyncio
import re
import socket
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

_REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/1")
_LIST = re.compile(rb"[?&](list-type|prefix|delimiter)=")


class DelayLine:
    """Listens on a free port of 127.0.0.1 while the block runs, in a thread of its own.

    Attributes:
        url: ``http://127.0.0.1:PORT``.
        counts: Requests by kind; LIST is a GET that lists.
    """

    def __init__(self, server_port: int, delay_s: float) -> None:
        self.counts: Counter[str] = Counter()
        self._server_port = server_port
        self._delay_s = delay_s
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="delay-line", daemon=True)

    def __enter__(self) -> Self:
        """Starts to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops, and leaves what is open to its ends."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(
            self._loop.create_server(lambda: _Client(self._server_port, self._delay_s, self.counts), sock=self._socket)
        )
        self._loop.run_forever()

    def processor_s(self) -> float:
        """Processor time that it has taken so far, in seconds."""
        return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident or 0))


class _Client(asyncio.Protocol):
    """The measured side: what it sends goes on at once."""

    def __init__(self, server_port: int, delay_s: float, counts: Counter[str]) -> None:
        self._server_port, self._delay_s, self._counts = server_port, delay_s, counts
        self._waiting: list[bytes] = []
        self._server: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        server = _Server(transport, self._delay_s)
        self._connecting = self._loop.create_task(
            self._loop.create_connection(lambda: server, "127.0.0.1", self._server_port)
        )
        self._connecting.add_done_callback(self._connected)

    def _connected(self, done: asyncio.Task) -> None:
        self._server = done.result()[0]
        self._server.writelines(self._waiting)

    def data_received(self, data: bytes) -> None:
        if found := _REQUEST.match(data):
            self._counts["LIST" if found[1] == b"GET" and _LIST.search(found[2]) else found[1].decode()] += 1
        if self._server is None:
            self._waiting.append(data)
        else:
            self._server.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._server is not None:
            self._server.close()


class _Server(asyncio.Protocol):
    """The storage server's side: each piece goes on after the delay, in order."""

    def __init__(self, client: asyncio.Transport, delay_s: float) -> None:
        self._client, self._delay_s = client, delay_s
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self._loop.call_later(self._delay_s, self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if not self._client.is_closing():
            self._client.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._loop.call_later(self._delay_s, self._client.close)
