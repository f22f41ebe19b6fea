"""One writer for each output."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.layout import LEASE
from fruits_pipeline.storage.store import Store


@contextmanager
def leased(store: Store) -> Iterator["_Held"]:
    """Holds the output's lease for the length of the block.

    Raises:
        DatasetError: When another job holds it.
    """
    since = datetime.now(UTC).isoformat(timespec="seconds")
    owner = f"host={socket.gethostname()} pid={os.getpid()} since={since}"
    with store.hold(LEASE, owner) as other:
        if other is not None:
            raise DatasetError(
                f"expected to be the only writer of {store.root}, found another job: {other or 'owner unknown'}; "
                "wait for it, stop it, or take another --output-uri"
            )
        yield _Held()


class _Held:
    def on_loss(self, callback: object) -> None:
        """Placeholder."""
