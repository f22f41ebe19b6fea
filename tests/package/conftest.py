"""Fixtures: one package for this machine's Python, made by the command, and its environment unpacked."""

import os
import platform
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

from fruits_pipeline.targets.releases import Release, releases

BIN = Path(sys.executable).parent
WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
_LINES = {"3.5": "a", "4.1": "b"}


def packaged(folder: Path, weights: Path, *words: object, umask: int = 0o022) -> str:
    """Makes a package in ``folder``/package, with its cache beside it, and gives what the command says."""
    command = [BIN / "fruits-pipeline", "package", "--package-dir", folder / "package", *words]
    command += ["--cache-dir", folder / "cache", *(["--weights", weights] if weights.is_file() else [])]
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=environment, umask=umask, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def target() -> str:
    """A release of this line of Spark, of this machine's Python and processor."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        pytest.skip(f"packages are started on Linux x86_64 only, not on {platform.system()} {platform.machine()}")
    line = _LINES[".".join(version("pyspark").split(".")[:2])]
    python = "{}.{}".format(*sys.version_info)
    fitting = [name for name, found in releases().items() if (found.constraints, found.python) == (line, python)]
    if not fitting:
        pytest.skip(f"no release of line {line} has Python {python}")
    return fitting[0]


@pytest.fixture(scope="session")
def release(target) -> Release:
    """What the target has."""
    return releases()[target]


@pytest.fixture(scope="session")
def package(target, shared_folder, tmp_path_factory) -> Path:
    """The package."""
    folder = tmp_path_factory.mktemp("packaged")
    packaged(folder, shared_folder / "weights" / WEIGHTS, "--target", target)
    return folder / "package"


@pytest.fixture(scope="session")
def environment(package, tmp_path_factory) -> Path:
    """The unpacked environment."""
    folder = tmp_path_factory.mktemp("unpacked") / "environment"
    with tarfile.open(package / "environment.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    return folder
