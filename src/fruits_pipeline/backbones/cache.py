"""The cache folder of models and weights: its place, and atomic writes to it."""

import os
import uuid
from pathlib import Path


def default_cache_dir() -> Path:
    """``$FRUITS_CACHE_DIR``, else ``$XDG_CACHE_HOME/fruits-pipeline``, else ``~/.cache/fruits-pipeline``."""
    if own := os.environ.get("FRUITS_CACHE_DIR"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "fruits-pipeline"


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically: no reader in any process sees a part of it.

    It is written beside ``path`` under a temporary name, then renamed: of several writers the last one wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
