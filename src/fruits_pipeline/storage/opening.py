"""The store that serves an address."""

from pathlib import Path

from fruits_pipeline.storage import uri
from fruits_pipeline.storage.local import LocalStore
from fruits_pipeline.storage.store import Store


def open_store(address: str) -> Store:
    """The store whose root is ``address`` (a plain path or a URI).

    Raises:
        SettingsError: When no store serves the address's scheme.
    """
    root = uri.normalise(address)
    return LocalStore(root, Path(uri.local_path(root)))
