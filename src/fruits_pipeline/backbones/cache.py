"""The cache folder: where it is, and how a file gets there whole."""

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
    """Put ``content`` at ``path`` so that no reader, in whatever process, ever sees a part of it.

    Written beside it under a name of its own, then renamed: the last of several writers wins, each whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
