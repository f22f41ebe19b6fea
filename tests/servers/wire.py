"""HTTP/1.1 as far as a proxy must read it: where a head ends, and where a body ends."""

import asyncio
import socket
import struct

from servers.faults import Fault

_PIECE = 1 << 16
_HEAD_END = b"\r\n\r\n"
# Linger for 0 s: a close is then a reset, not a polite end.
_RESET = struct.pack("ii", 1, 0)


class Cut(Exception):  # noqa: N818 because it is no error: a fault asked for it
    """When a fault has torn the connection down."""


class Kept:
    """Takes a body in the place of a connection."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, piece: bytes) -> None:
        """Keeps the piece."""
        self.content += piece

    async def drain(self) -> None:
        """Nothing waits."""


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """The next head with its empty line; b"" where the other side has closed."""
    try:
        return await reader.readuntil(_HEAD_END)
    except asyncio.IncompleteReadError:
        return b""


async def copy_body(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter | Kept,
    headers: dict[str, str],
    fault: Fault | None = None,
) -> None:
    """Passes on a body that has a length or comes in chunks."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        await _copy_chunks(reader, writer)
        return
    length = int(headers.get("content-length", 0))
    if fault is None or isinstance(writer, Kept):
        await _copy(reader, writer, length)
        return
    await _copy(reader, writer, length // 2)
    if fault.form == "reset":
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
        raise Cut
    await asyncio.sleep(fault.seconds)
    await _copy(reader, writer, length - length // 2)


async def copy_to_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes on a body that ends with its connection."""
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter | Kept, length: int) -> None:
    while length:
        piece = await reader.read(min(length, _PIECE))
        if not piece:
            raise asyncio.IncompleteReadError(piece, length)
        length -= len(piece)
        writer.write(piece)
        await writer.drain()


async def _copy_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter | Kept) -> None:
    while True:
        line = await reader.readuntil(b"\r\n")
        writer.write(line)
        length = int(line.split(b";")[0], 16)
        if length == 0:
            break
        await _copy(reader, writer, length + 2)
    while True:
        line = await reader.readuntil(b"\r\n")
        writer.write(line)
        if line == b"\r\n":
            break
    await writer.drain()
