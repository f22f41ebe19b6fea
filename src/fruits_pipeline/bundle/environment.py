"""The Python environment of a cluster: wheels for its processor and Python, and ``bin/python`` that starts it.

Nothing of this machine enters it: pip takes wheels for the release's platform tags alone.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fruits_pipeline.bundle.hashes import requirements, wheels
from fruits_pipeline.bundle.trim import trim
from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.clusters.releases import Release
from fruits_pipeline.errors import SubmissionError
from fruits_pipeline.settings.submit import Arch

SITE = "site-packages"
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# manylinux_2_5 is manylinux1, the oldest that has wheels.
_OLDEST_GLIBC = 5
_WRAPPER = Path(__file__).with_name("python.sh")


def install(requirement: str, release: Release, arch: Arch, folder: Path) -> None:
    """Fills ``folder`` with ``bin/python`` and the packages of ``requirement``, trimmed.

    Raises:
        SubmissionError: When pip finds no wheels of the pinned versions for the release, or other files of them.
    """
    site = folder / SITE
    chosen = requirements(wheels(chosen_by_pip(requirement, release, arch)), release.constraints)
    site.mkdir(parents=True)
    locked = folder / "requirements.txt"
    locked.write_text(chosen, encoding="utf-8")
    words = ("--no-deps", "--require-hashes", "--no-compile", "--requirement", locked)
    pip("install", "--target", site, *_target(release, arch), *words)
    locked.unlink()
    trim(site)
    write_wrapper(folder, release.python)


def chosen_by_pip(requirement: str, release: Release, arch: Arch) -> str:
    """Pip's report of the wheels that ``requirement`` takes on nodes of the release, of which none is installed.

    Raises:
        SubmissionError: When pip finds no wheels of the pinned versions for the release.
    """
    constraints = config_folder() / "constraints" / f"{release.constraints}.txt"
    with tempfile.TemporaryDirectory(prefix="fruits-report-") as folder:
        report = Path(folder) / "report.json"
        words = ("--ignore-installed", "--report", report, "--constraint", constraints, requirement)
        pip("install", "--dry-run", "--target", folder, *_target(release, arch), *words)
        return report.read_text(encoding="utf-8")


def _target(release: Release, arch: Arch) -> list[str]:
    """Pip's words for the wheels of a node, whatever runs here."""
    tags = [tag for name in _platforms(release.glibc, MACHINES[arch]) for tag in ("--platform", name)]
    return ["--only-binary", ":all:", "--implementation", "cp", "--python-version", release.python, *tags]


def write_wrapper(folder: Path, python: str) -> None:
    """Writes ``bin/python``, a script that finds and starts the node's Python of the version ``python``."""
    wrapper = folder / "bin" / "python"
    wrapper.parent.mkdir(parents=True, exist_ok=True)
    wrapper.write_text(_WRAPPER.read_text(encoding="utf-8").replace("@PYTHON@", python), encoding="utf-8")
    wrapper.chmod(0o755)


def pip(*words: object) -> None:
    """Runs pip with the arguments ``words``.

    Raises:
        SubmissionError: When it fails, with the cause that it names.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *(str(word) for word in words)]
    # The release's own constraints count, not those that install this package here.
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SubmissionError(
            f"bundle: expected pip to fetch the pinned packages, found {_pip_error(done.stdout + done.stderr)}; "
            "check that the package registry can be reached, and the versions in config/constraints"
        )


def _pip_error(said: str) -> str:
    r"""The line of pip's output that names the cause.

    >>> _pip_error("The conflict is caused by:\n    a depends on b>=2\n    The user requested (constraint) b==2\nERROR")
    "no wheel of b==2 for the release's Python, processor and glibc"
    >>> _pip_error("ERROR: No matching distribution found for b==2\n[notice] ...")
    "'ERROR: No matching distribution found for b==2'"
    """
    if pinned := re.findall(r"\(constraint\) (\S+)", said):
        return f"no wheel of {pinned[-1]} for the release's Python, processor and glibc"
    lines = said.strip().splitlines()
    return repr(next((line for line in reversed(lines) if line.startswith("ERROR")), "\n".join(lines[-5:])))


def _platforms(glibc: str, machine: str) -> list[str]:
    """Platform tags of wheels that run on a node with this glibc, newest first: PEP 600.

    >>> _platforms("2.6", "x86_64")
    ['manylinux_2_6_x86_64', 'manylinux_2_5_x86_64', 'manylinux2014_x86_64']
    """
    minor = int(glibc.partition(".")[2])
    newest_first = range(minor, _OLDEST_GLIBC - 1, -1)
    return [f"manylinux_2_{number}_{machine}" for number in newest_first] + [f"manylinux2014_{machine}"]
