"""Fixtures: one bundle for this machine's Python, made by the command, and its environment unpacked."""

import platform
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest
from making import make_bundle

from fruits_pipeline.clusters.releases import Release, releases

_LINES = {"3.5": "a", "4.1": "b"}


@pytest.fixture(scope="session")
def target() -> str:
    """A release of this line of Spark, of this machine's Python and processor."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        pytest.skip(f"bundles are started on Linux x86_64 only, not on {platform.system()} {platform.machine()}")
    line = _LINES[".".join(version("pyspark").split(".")[:2])]
    python = "{}.{}".format(*sys.version_info)
    fitting = [name for name, found in releases().items() if (found.constraints, found.python) == (line, python)]
    if not fitting:
        pytest.skip(f"no release of line {line} has Python {python}")
    return fitting[0]


@pytest.fixture(scope="session")
def release(target) -> Release:
    """What the release has."""
    return releases()[target]


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory) -> Path:
    """Where the converted model is kept."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def bundle(target, shared_folder, cache_dir, tmp_path_factory) -> Path:
    """The bundle."""
    folder = tmp_path_factory.mktemp("made") / "bundle"
    make_bundle(folder, shared_folder, cache_dir, "--target", target)
    return folder


@pytest.fixture(scope="session")
def environment(bundle, tmp_path_factory) -> Path:
    """The unpacked environment."""
    folder = tmp_path_factory.mktemp("unpacked") / "environment"
    with tarfile.open(bundle / "environment.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    return folder
