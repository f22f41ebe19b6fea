"""A copy of this machine's Python interpreter that runs from any folder, for nodes without the right Python.

It has the interpreter, its standard library, and the shared libraries that these load, without those of glibc.
"""

import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from fruits_pipeline.bundle.environment import MACHINES
from fruits_pipeline.clusters.releases import Release
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.submit import Arch

# glibc and the loader: these must be the node's own.
_SYSTEM = re.compile(r"(ld-linux.*|lib(c|m|dl|pthread|rt|util|resolv|nsl|crypt))\.so.*|linux-vdso.*")
_LEFT_OUT = shutil.ignore_patterns(
    *("site-packages", "dist-packages", "__pycache__", "ensurepip", "lib2to3", "config-*"),
    *("test", "tests", "_test*", "idlelib", "tkinter", "_tkinter*", "turtledemo"),
)
_GLIBC = re.compile(rb"GLIBC_2\.(\d+)\b")


def copy_interpreter(release: Release, arch: Arch, folder: Path) -> None:
    """Copies the interpreter to ``folder``/python.

    Raises:
        SettingsError: When this machine's Python is not of the release's version, processor or system.
        SubmissionError: When it needs a newer glibc than the release has.
    """
    here = "Python {}.{} on {} {}".format(*platform.python_version_tuple()[:2], platform.system(), platform.machine())
    wanted = f"Python {release.python} on Linux {MACHINES[arch]}"
    if here != wanted:
        raise SettingsError(
            f"--bundle-python: expected to run on {wanted}, found {here}; make the bundle there, or without it"
        )
    library, binary = folder / "python" / "lib", folder / "python" / "bin" / f"python{release.python}"
    binary.parent.mkdir(parents=True)
    shutil.copy(Path(sys.executable).resolve(), binary)
    standard = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(standard, library / f"python{release.python}", ignore=_LEFT_OUT)
    for needed in sorted({path for file in (binary, *library.rglob("*.so")) for path in _libraries(file)}):
        shutil.copy(needed, library / needed.name)
    _refuse_newer(folder / "python", int(release.glibc.partition(".")[2]))


def _libraries(file: Path) -> list[Path]:
    """The shared libraries that the ELF ``file`` loads, without those of glibc."""
    said = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False).stdout
    named = re.findall(r"^\s*(\S+) => (/\S+)", said, re.MULTILINE)
    return [Path(path) for name, path in named if not _SYSTEM.fullmatch(name)]


def _refuse_newer(folder: Path, minor: int) -> None:
    """Refuses binaries that need symbols of a newer glibc than 2.``minor``."""
    files = (file for file in folder.rglob("*") if file.is_file())
    binaries = [file for file in files if ".so" in file.name or file.parent.name == "bin"]
    newest = {file: max((int(found) for found in _GLIBC.findall(file.read_bytes())), default=0) for file in binaries}
    worst = max(newest, key=lambda file: newest[file])
    if newest[worst] > minor:
        raise SubmissionError(
            f"--bundle-python: expected an interpreter for glibc 2.{minor}, found {worst.name} that needs "
            f"2.{newest[worst]}; make the bundle on an older Linux, or with a portable Python such as uv installs"
        )
