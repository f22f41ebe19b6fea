"""One writer for each output."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.layout import LEASE
from fruits_pipeline.storage.store import Held, Store


@contextmanager
def leased(store: Store) -> Iterator[Held]:
    """Holds the output's lease for the length of the block, and gives it.

    Raises:
        DatasetError: When another job holds it.
        StorageError: At the block's end when the lease was lost, from the error that ended the block.
    """
    since = datetime.now(UTC).isoformat(timespec="seconds")
    owner = f"host={socket.gethostname()} pid={os.getpid()} since={since}"
    with store.hold(LEASE, owner) as held:
        if isinstance(held, str):
            raise DatasetError(
                f"expected to be the only writer of {store.root}, found another job: {held or 'owner unknown'}; "
                "wait for it, stop it, or take another --output-uri"
            )
        yield held
