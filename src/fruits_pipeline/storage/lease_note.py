"""Content of a lease's object: who holds it, and whether that process is alive."""

import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

FREE = b""


class Note(BaseModel):
    """What stands in a held lease; ``place`` names the host, its boot and the namespace that ``pid`` belongs to."""

    model_config = ConfigDict(frozen=True)

    owner: str
    place: str
    pid: int
    token: str
    beat: int = 0
    written: str = ""

    def encoded(self, beat: int) -> bytes:
        """The note of this heartbeat, as JSON; no two are equal."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return self.model_copy(update={"beat": beat, "written": now}).model_dump_json().encode()


def is_free(content: bytes, ours: Note) -> bool:
    """Whether nobody holds the lease: empty, ours already, or of a process that ended on this machine."""
    other = _parsed(content)
    if content == FREE or (other is not None and other.token == ours.token):
        return True
    return other is not None and other.place == ours.place and not _is_alive(other.pid)


def owner_of(content: bytes) -> str:
    """The holder as the lease names it; of anything else that stands there, its beginning."""
    note = _parsed(content)
    return note.owner if note else content[:200].decode(errors="replace")


def place() -> str:
    """This machine, as far as process ids mean the same: two containers of one name are two places."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # because only Linux has these
        parts += [
            Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            str(Path("/proc/self/ns/pid").readlink()),
        ]
    return " ".join(parts)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # because it is somebody else's
        pass
    return True


def _parsed(content: bytes) -> Note | None:
    try:
        return Note.model_validate_json(content)
    except ValidationError:
        return None
