"""Base of the stores of S3 and GCS: keys below a root, and the lease."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import fan_out, lease, uri
from fruits_pipeline.storage.lease_taking import LeaseTiming
from fruits_pipeline.storage.parallel import mapped
from fruits_pipeline.storage.patience import STEADY, Patience
from fruits_pipeline.storage.store import Found, Held

_READS = frozenset({"GET", "HEAD"})
# Requests of small objects at a time: as many as both clouds' clients keep connections.
THREADS = 10


class Bucket(ABC):
    """A folder of a bucket; below it, keys are kept character for character.

    Consoles and Hadoop mark empty folders by empty objects named ``x/`` or ``x_$folder$``: those are no objects here.
    """

    no_version: str

    def __init__(self, root: str, settings: StorageSettings, patience: Patience = STEADY) -> None:
        """``root`` is the folder's URI as ``uri.normalise`` spells it.

        Raises:
            SettingsError: When it names no bucket.
        """
        self.root = root
        self.timing = LeaseTiming()
        self._settings = settings
        self._patience = patience
        self._bucket, _, folder = root.partition("://")[2].partition("/")
        self._base = folder + "/" if folder else ""
        self._lease: lease.Lease | None = None
        if not self._bucket:
            raise SettingsError(
                f"expected a bucket, as in {uri.scheme(root)}://bucket/folder, found {root!r}; "
                "name it, without wildcards"
            )

    def create(self, key: str, content: bytes) -> bool:
        """By a conditional write; where its answer gets lost, it is False for an object that is ours."""
        return self.replace_if(key, content, None) is not None

    @contextmanager
    def hold(self, key: str, owner: str) -> Iterator[Held | str]:
        """By conditional writes, and a heartbeat with a client of its own that gives up soon.

        Once the lease is lost, this store refuses to write, also after the block.
        """
        self._lease = None
        limit_s = self.timing.request_s
        brief = Patience(connect_s=limit_s, silence_s=limit_s, retries=0, total_s=limit_s)
        heartbeats = type(self)(self.root, self._settings, brief)
        with lease.holding(self, heartbeats, key, owner, self.timing) as held:
            if isinstance(held, lease.Lease):
                self._lease = held
                self._fence()
            yield held

    def objects_in_parallel(self) -> Iterator[Found]:
        """By one request for the folders below the root, then several folders at a time."""
        yield from fan_out.objects(self)

    @abstractmethod
    def objects(self, prefix: str = "") -> Iterator[Found]:
        """See ``Store.objects``."""

    @abstractmethod
    def level(self, prefix: str) -> fan_out.Level | None:
        """See ``fan_out.Folders``."""

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes]:
        """By ten threads; at most 40 contents wait to be taken."""
        yield from mapped(self.read, keys, THREADS, 4 * THREADS)

    @abstractmethod
    def read(self, key: str) -> bytes:
        """See ``Store.read``."""

    @abstractmethod
    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """See ``lease.Versioned``."""

    @abstractmethod
    def replace_if(self, key: str, content: bytes, version: str | None) -> str | None:
        """See ``lease.Versioned``."""

    @abstractmethod
    def _fence(self) -> None:
        """From now on ``_check_request`` runs before each request of this store, retries too, and after its answer."""

    def _check_request(self, method: str) -> None:
        """Raises where the lease is lost and the request writes.

        What is under way cannot be called back: a server that hangs may carry it out later, but here it has failed.
        """
        if self._lease is not None and method not in _READS:
            self._lease.check()

    def _full(self, key: str) -> str:
        return self._base + key

    def _folder(self, prefix: str) -> str:
        """The beginning of all full keys below the folder ``prefix``."""
        return self._base + (prefix.removesuffix("/") + "/" if prefix else "")

    def _below(self, full: str) -> str:
        return full[len(self._base) :]

    def _found(self, full: str, length: int, modified: datetime) -> Found | None:
        """The object as the store's users know it; None for what marks a folder."""
        if length == 0 and full.endswith(("/", "_$folder$")):
            return None
        return Found(self._below(full), length, modified)
