"""Opens the store of an address."""

from pathlib import Path

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.local import LocalStore
from fruits_pipeline.storage.store import Store

_DEFAULTS = StorageSettings()


def open_store(address: str, settings: StorageSettings = _DEFAULTS) -> Store:
    """The store whose root is ``address`` (a plain path or a URI); nothing is asked of a server yet.

    Raises:
        SettingsError: When no store serves the address's scheme, or the package that does is not installed.
    """
    root = uri.normalise(address)
    if uri.scheme(root) == "file":
        return LocalStore(root, Path(uri.local_path(root)))
    try:
        match uri.scheme(root):
            case "s3":
                from fruits_pipeline.storage.s3 import S3Store

                return S3Store(root, settings)
            case "gs":
                from fruits_pipeline.storage.gcs import GcsStore

                return GcsStore(root, settings)
    except ModuleNotFoundError as error:
        extra = "gcs" if uri.scheme(root) == "gs" else "s3"
        raise SettingsError(
            f"expected the package {error.name} for {root}, found none; pip install 'fruits-pipeline[{extra}]'"
        ) from error
    raise SettingsError(f"expected a plain path, or a file:, s3: or gs: address, found {root!r}; copy the data to one")
