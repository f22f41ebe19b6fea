"""Uploads a bundle: each file to a key that follows from its content."""

import json
import logging
from pathlib import Path

from fruits_pipeline.clusters.bundle_index import INDEX, UPLOADED, BundledFile, Index, content_address, sha256_of
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store

log = logging.getLogger(__name__)


def upload(index: Index, folder: Path, place: str, storage: StorageSettings) -> str:
    """Uploads the files of ``folder`` below ``place``, but those that are there, and gives the index's address.

    ``uploaded.json`` beside the index then holds the place, for `submit`.

    Raises:
        StorageError: When the bucket cannot be written.
    """
    base = uri.normalise(place)
    store = open_store(base, storage)
    own = folder / INDEX
    files = {**index.files, INDEX: BundledFile(sha256=sha256_of(own), bytes=own.stat().st_size)}
    for name, file in files.items():
        key = content_address("", name, file.sha256).lstrip("/")
        found = store.stat(key)
        if found is not None and found.length == file.bytes:
            log.info("upload=kept key=%s", key)
            continue
        store.put(key, folder / name)
        log.info("upload=done key=%s bytes=%d", key, file.bytes)
    (folder / UPLOADED).write_text(json.dumps({"base": base}) + "\n", encoding="utf-8")
    return content_address(base, INDEX, files[INDEX].sha256)
