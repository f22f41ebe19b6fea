"""Store on a local file system."""

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.store import Found, Held

# Names of the files that a write which is killed leaves behind.
_PREFIX, _SUFFIX = ".fruits-", ".tmp"
# What file systems say that have no hard links.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}


class _Locked:
    """A lease by ``flock``."""

    def check(self) -> None:
        """Nothing: the system keeps it for us."""

    def on_loss(self, callback: Callable[[], None]) -> None:
        """Nothing: it is never lost."""


class LocalStore:
    """A folder; see ``Store`` for what each method promises."""

    def __init__(self, root: str, folder: Path) -> None:
        """``root`` is the folder's ``file:///`` URI."""
        self.root = root
        self._folder = folder

    def objects(self, prefix: str = "") -> Iterator[Found]:
        """Walks the folder; links are followed, but never round a circle; a broken link has length 0.

        What a killed write left (``.fruits-*.tmp``) is listed as any other file.
        """
        start = self._folder / prefix
        if start.is_dir():
            yield from self._walk(str(start), prefix.rstrip("/") + "/" if prefix else "", ())

    def objects_in_parallel(self) -> Iterator[Found]:
        """As ``objects()``, because a file system has no slow answers."""
        return self.objects()

    def stat(self, key: str) -> Found | None:
        """The file, or None."""
        try:
            status = (self._folder / key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._failed("look at", key, error) from error
        return _found(key, status, status.st_size)

    def read(self, key: str) -> bytes:
        """The file's bytes."""
        try:
            return (self._folder / key).read_bytes()
        except OSError as error:
            raise self._failed("read", key, error) from error

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes]:
        """One after the other."""
        return map(self.read, keys)

    def write(self, key: str, content: bytes) -> None:
        """By a temporary file and a rename."""
        with self._renamed(key) as temporary:
            temporary.write_bytes(content)

    def put(self, key: str, file: Path) -> None:
        """By a temporary file and a rename."""
        with self._renamed(key) as temporary:
            shutil.copyfile(file, temporary)

    def create(self, key: str, content: bytes) -> bool:
        """By a temporary file and a link, which fails where the name is taken.

        A file system without links (exFAT, SMB, some of FUSE) gets a rename: then a second writer that does not hold
        the lease could replace the first one's object, as a whole.
        """
        target = self._folder / key
        if target.exists():
            return False
        temporary = self._temporary(key)
        try:
            temporary.write_bytes(content)
            try:
                os.link(temporary, target)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                temporary.replace(target)
        except FileExistsError:
            return False
        except OSError as error:
            raise self._failed("write", key, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """Removes files, Hadoop's checksum file beside each, and folders left empty, up to the root."""
        for key in keys:
            path = self._folder / key
            try:
                path.unlink(missing_ok=True)
                path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
            except OSError as error:
                raise self._failed("delete", key, error) from error
            for folder in path.relative_to(self._folder).parents[:-1]:
                with suppress(OSError):  # because a folder that still holds something stays
                    (self._folder / folder).rmdir()

    def checksum(self, key: str) -> str:
        """SHA-256 of the file."""
        try:
            with (self._folder / key).open("rb") as stream:
                return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise self._failed("read", key, error) from error

    @contextmanager
    def hold(self, key: str, owner: str) -> Iterator[Held | str]:
        """By ``flock``, which the system frees when the holder dies; it is never lost.

        Temporary files that killed writes left in the root are removed: nobody else writes while the lease is held.
        """
        target = self._folder / key
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            stream = target.open("a+")
        except OSError as error:
            raise self._failed("write", key, error) from error
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stream.seek(0)
                yield stream.read()
                return
            stream.truncate(0)
            stream.write(owner)
            stream.flush()
            for left in self._folder.glob(f"{_PREFIX}*{_SUFFIX}"):
                left.unlink(missing_ok=True)
            yield _Locked()
            stream.truncate(0)

    def _walk(self, folder: str, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[Found]:
        try:
            status = os.stat(folder)  # noqa: PTH116 because a million Paths are slow
            with os.scandir(folder) as here:
                entries = [(_text(entry.name) + "/" * _is_folder(entry), entry) for entry in here]
        except OSError as error:
            raise self._failed("list", prefix, error) from error
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            return
        for name, entry in sorted(entries, key=itemgetter(0)):  # text sorts by code point, as its UTF-8 bytes do
            if name.endswith("/"):
                yield from self._walk(entry.path, prefix + name, (*above, identity))
            elif (found := self._listed(prefix + name, entry)) is not None:
                yield found

    def _listed(self, key: str, entry: os.DirEntry[str]) -> Found | None:
        """A file, or a link that leads nowhere; None for a pipe or a socket, and for a file that has just gone."""
        try:
            status = entry.stat() if not _is_broken(entry) else entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("look at", key, error) from error
        if stat.S_ISLNK(status.st_mode):
            return _found(key, status, 0)
        return _found(key, status, status.st_size) if stat.S_ISREG(status.st_mode) else None

    @contextmanager
    def _renamed(self, key: str) -> Iterator[Path]:
        temporary = self._temporary(key)
        try:
            yield temporary
            temporary.replace(self._folder / key)
        except OSError as error:
            raise self._failed("write", key, error) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _temporary(self, key: str) -> Path:
        parent = (self._folder / key).parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=parent)
        except OSError as error:
            raise self._failed("write", key, error) from error
        os.close(handle)
        with suppress(OSError):  # because some file systems have no modes
            Path(name).chmod(0o644)
        return Path(name)

    def _failed(self, what: str, key: str, error: OSError) -> StorageError:
        return StorageError(
            f"could not {what} {self._folder / key}: {error.strerror or error}; "
            "free space or mend the permissions, then start the same command again: it resumes",
            is_denied=isinstance(error, PermissionError),
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # because a link to itself is an object that cannot be read, not a folder
        return False


def _is_broken(entry: os.DirEntry[str]) -> bool:
    """Whether this is a link that leads nowhere, or to itself."""
    return entry.is_symlink() and not Path(entry.path).exists()


def _found(key: str, status: os.stat_result, length: int) -> Found:
    return Found(key, length, datetime.fromtimestamp(status.st_mtime_ns // 1000 / 1e6, UTC))


def _text(name: str) -> str:
    """``name`` as valid text: bytes that are no UTF-8 are spelled in hex, so that the object is still counted."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
