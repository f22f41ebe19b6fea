"""What the stores of S3 and GCS share: keys below a root, and the lease."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import lease, uri
from fruits_pipeline.storage.store import Found

# Seconds to wait for a connection, and for each piece of an answer.
CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60


class Bucket(ABC):
    """A folder of a bucket; below it, keys are kept character for character.

    Consoles and Hadoop mark empty folders by empty objects named ``x/`` or ``x_$folder$``: those are no objects here.
    """

    no_version: str

    def __init__(self, root: str, settings: StorageSettings) -> None:
        """``root`` is the folder's URI as ``uri.normalise`` spells it.

        Raises:
            SettingsError: When it names no bucket.
        """
        self.root = root
        self.timing = lease.LeaseTiming()
        self._settings = settings
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
        self._check_lease()
        return self.replace_if(key, content, None) is not None

    @contextmanager
    def hold(self, key: str, owner: str) -> Iterator[str | None]:
        """By conditional writes and a heartbeat; when the lease is lost, this store refuses to write."""
        with lease.holding(self, key, owner, self.timing) as held:
            if isinstance(held, str):
                yield held
                return
            self._lease = held
            try:
                yield None
            finally:
                self._lease = None

    @abstractmethod
    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """See ``lease.Versioned``."""

    @abstractmethod
    def replace_if(self, key: str, content: bytes, version: str | None) -> str | None:
        """See ``lease.Versioned``."""

    def _check_lease(self) -> None:
        if self._lease is not None:
            self._lease.check()

    def _full(self, key: str) -> str:
        return self._base + key

    def _folder(self, prefix: str) -> str:
        """The beginning of all full keys below the folder ``prefix``."""
        return self._base + (prefix.removesuffix("/") + "/" if prefix else "")

    def _found(self, full: str, length: int, modified: datetime) -> Found | None:
        """The object as the store's users know it; None for what marks a folder."""
        if length == 0 and full.endswith(("/", "_$folder$")):
            return None
        return Found(full[len(self._base) :], length, modified)
