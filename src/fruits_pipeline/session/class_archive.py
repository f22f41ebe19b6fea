"""Java's archive of loaded classes, which a JVM of ours writes when it ends and later ones start from.

Loading and verifying Spark's classes takes the JVM of a small job some ten seconds of processor time; from an archive
about half. Java itself checks that an archive is of the same Java and the same class path, and else ignores it:
https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
"""

import hashlib
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Final

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.session.java import Java

# The first Java whose JVM can write one when it ends.
_SINCE: Final = 13
# A JVM writes this at the begin of the file last, so that an unfinished archive does not have it.
_MAGIC: Final = 0xF00BABA8.to_bytes(4)
# A JVM needs some seconds to write its archive: after this long, one that is unfinished will stay so.
_UNFINISHED_S: Final = 600
_TRIAL_S: Final = 30
_UNUSED_S: Final = 30 * 86_400
_READ: Final = "-XX:SharedArchiveFile"
_WRITE: Final = "-XX:ArchiveClassesAtExit"
# Spark splits options as a shell does, and Java separates archives by colons.
_PLAIN: Final = re.compile(r"[\w./+@-]+")


def java_options(java: Java, spark_home: Path, options: str, *, may_write: bool) -> str:
    """The JVM's options: start from the archive if there is one, else write one at the end; silent about both.

    Args:
        java: The Java that will start.
        spark_home: Folder of Spark.
        options: The JVM's other options.
        may_write: Whether the JVM will load all that others may need.
    """
    # Java takes no archive of a class path with a folder that holds files.
    if java.version < _SINCE or _has_files(Path(os.environ.get("SPARK_CONF_DIR") or spark_home / "conf")):
        return ""
    try:
        archive = default_cache_dir() / "java" / f"{_key(java, spark_home)}.jsa"
        if not _PLAIN.fullmatch(str(archive)):
            return ""
        archive.parent.mkdir(parents=True, exist_ok=True)
        option = _option(archive)
        if option == _WRITE:
            _drop_unused(archive.parent)
            if not may_write or not _can_write(java, options, archive):
                return ""
    except (OSError, RuntimeError):  # a cache that cannot be written, or a user without a home, costs time only
        return ""
    return f"-Xshare:auto -Xlog:disable {option}={archive}" if option else ""


def without_archive(options: str) -> str:
    """``options`` without an archive to start from, which is deleted: for a JVM that did not start from it."""
    for archive in re.findall(f"{_READ}=(\\S+)", options):
        Path(archive).unlink(missing_ok=True)
    return re.sub(f"{_READ}=\\S+", "", options)


def _option(archive: Path) -> str | None:
    if not archive.exists():
        return _WRITE
    with archive.open("rb") as file:
        magic = file.read(len(_MAGIC))
    if _MAGIC in (magic, magic[::-1]):
        os.utime(archive)
        return _READ
    return _WRITE if time.time() - archive.stat().st_mtime > _UNFINISHED_S else None


def _drop_unused(folder: Path) -> None:
    """Deletes archives of other Javas and Sparks from which no JVM has started for a month."""
    for file in folder.glob("*.jsa"):
        if time.time() - file.stat().st_mtime > _UNUSED_S:
            file.unlink(missing_ok=True)


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _can_write(java: Java, options: str, archive: Path) -> bool:
    """Whether the JVM starts when it is to write an archive: one without an archive of Java's own classes does not."""
    trial = archive.with_name(f".{archive.name}.{os.getpid()}")
    command = [java.program, *options.split(), f"{_WRITE}={trial}", "-version"]
    try:
        return subprocess.run(command, capture_output=True, timeout=_TRIAL_S, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
    finally:
        trial.unlink(missing_ok=True)


def _key(java: Java, spark_home: Path) -> str:
    """What the archive is of: this Java and these jars, as Java compares them."""
    digest = hashlib.sha256(f"{Path(java.program).resolve()}\n{java.told}\n".encode())
    for jar in sorted((spark_home / "jars").glob("*.jar")):
        found = jar.stat()
        digest.update(f"{jar}\n{found.st_size}\n{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
