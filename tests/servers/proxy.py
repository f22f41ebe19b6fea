"""A proxy between a client and a storage server: every response late, requests counted, faults on chosen ones.

It passes everything on byte for byte, the Host header too: S3's signature covers it, so a client signs for the
proxy's address and the server checks the same text.
"""

import asyncio
import socket
import threading
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

from servers.faults import Fault
from servers.request import Request, parse_head, parse_request
from servers.wire import Cut, Kept, copy_body, copy_to_end, read_head

_NO_BODY = frozenset({204, 304})
_FINAL = 200
_SETTLE_S = 0.05


class Pipe(NamedTuple):
    """Both directions of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def close(self) -> None:
        """Closes it, and waits until that is done, or has taken too long."""
        self.writer.close()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(self.writer.wait_closed(), 1)
        self.writer.transport.abort()


class Proxy:
    """Listens on a free port of 127.0.0.1 while the block runs, in a thread of its own.

    Attributes:
        url: ``http://127.0.0.1:PORT``.
        delay_s: How late each response is; may be changed at any time.
        paused: While it is True, no request is passed on; those that came meanwhile are, afterwards.
        counts: Requests by kind, since the start or the last ``clear``.
        gets: GET requests by key.
        most_at_once: The most requests that were open at the same time.
    """

    def __init__(self, server_port: int, *, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.paused = False
        self.counts: Counter[str] = Counter()
        self.gets: Counter[str] = Counter()
        self.most_at_once = 0
        self._server_port = server_port
        self._open = 0
        self._faults: list[Fault] = []
        self._used: Counter[int] = Counter()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        # asyncio does it for its own sockets only; else a small body waits 40 ms behind its head.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def add(self, *faults: Fault) -> None:
        """From now on these faults happen; a request meets the first that fits and is not used up."""
        self._faults = [*self._faults, *faults]

    def clear(self, *, delay_s: float = 0.0) -> None:
        """No faults, this delay, all counts at zero."""
        self.delay_s = delay_s
        self._faults = []
        self._used.clear()
        self.counts.clear()
        self.gets.clear()
        self.most_at_once = 0

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accepted, sock=self._socket)
        await self._stopping.wait()
        # A server that closes in the middle of accepting would leak the accepted socket.
        self._loop.remove_reader(self._socket)
        await asyncio.sleep(_SETTLE_S)
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Pipe(reader, writer)
        try:
            await self._connection(client)
        except (OSError, EOFError, Cut, asyncio.CancelledError):
            pass  # because either side may leave at any time, and the test may end
        finally:
            await client.close()

    async def _connection(self, client: Pipe) -> None:
        """Requests of one client, one after another, over one connection to the server."""
        server: Pipe | None = None
        try:
            while head := await read_head(client.reader):
                request = parse_request(head)
                fault = self._noted(request)
                try:
                    while self.paused:  # noqa: ASYNC110 because another thread ends the pause
                        await asyncio.sleep(_SETTLE_S)
                    if fault is not None and fault.form == "answer":
                        await self._answered(client, request, fault)
                        continue
                    server = server or Pipe(*await asyncio.open_connection("127.0.0.1", self._server_port))
                    server.writer.write(head)
                    await self._exchanged(client, server, request, fault)
                finally:
                    self._open -= 1
        finally:
            if server is not None:
                await server.close()

    def _noted(self, request: Request) -> Fault | None:
        """Counts the request; gives the fault that it meets."""
        self.counts[request.kind] += 1
        if request.kind == "GET":
            self.gets[request.key] += 1
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        for number, fault in enumerate(self._faults):
            if fault.hits(request) and (fault.times is None or self._used[number] < fault.times):
                self._used[number] += 1
                return fault
        return None

    async def _answered(self, client: Pipe, request: Request, fault: Fault) -> None:
        body = Kept()
        if "expect" not in request.headers:
            await copy_body(client.reader, body, request.headers)
        await asyncio.sleep(self.delay_s)
        client.writer.write(fault.answer(request, bytes(body.content)))
        await client.writer.drain()

    async def _exchanged(self, client: Pipe, server: Pipe, request: Request, fault: Fault | None) -> None:
        """Passes the request's body on and the response back.

        Raises:
            EOFError: When the server has closed, or its body ends with the connection.
        """
        sending = asyncio.create_task(copy_body(client.reader, server.writer, request.headers))
        try:
            status = 0
            while status < _FINAL:
                head = await server.reader.readuntil(b"\r\n\r\n")
                first, headers = parse_head(head)
                status = int(first.split(" ")[1])
                await asyncio.sleep(self.delay_s)
                client.writer.write(head)
            if request.method != "HEAD" and status not in _NO_BODY:
                if "content-length" in headers or "transfer-encoding" in headers:
                    await copy_body(server.reader, client.writer, headers, fault)
                else:
                    await copy_to_end(server.reader, client.writer)
            await client.writer.drain()
        finally:
            # A server that refuses early gets no body, because the client never sends it.
            if "expect" in request.headers:
                sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
