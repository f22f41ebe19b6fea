"""Checks that the environment of a bundle works on this node: ``environment/bin/python environment/check_node.py``.

Imports what the job imports but for Spark, which EMR installs later; decodes a JPEG made on the spot; computes with a
small model. Prints one fact a line; ends with 1 and a message when something is not as it should be.
"""

import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

ROOMS = ("cli", "settings.commands", "images.decode", "backbones.predictor", "storage.opening", "schemas")
CLIENTS = ("boto3", "google.cloud.storage", "obstore", "pandas", "pyarrow.parquet", "simplejpeg", "cv2")
TOLD = ("fruits-pipeline", "numpy", "pandas", "pyarrow", "openvino", "opencv-python-headless", "boto3", "obstore")
SIDE = 64
RED = (200, 30, 40)


class NodeError(Exception):
    """The environment does not work here."""


def facts() -> Iterator[str]:
    """What is found, one fact at a time.

    Raises:
        NodeError: At the first thing that does not work.
    """
    yield f"python      {platform.python_version()} {sys.executable}"
    yield f"system      {platform.machine()}, {' '.join(platform.libc_ver())}"
    for module in (*(f"fruits_pipeline.{room}" for room in ROOMS), *CLIENTS):
        _imported(module)
    for name in TOLD:
        yield f"package     {name} {version(name)}"
    yield f"decoded     {_decoded()}"
    yield f"inference   {_inferred()}"


def _imported(module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        raise NodeError(
            f"expected to import {module}, found {error}; make the bundle for this node's release and processor "
            "(bundle --target, --arch)"
        ) from error


def _decoded() -> str:
    """Decodes a JPEG of one colour as the job decodes images."""
    import io

    from PIL import Image

    from fruits_pipeline.images.decode import Decoded, decode

    file = io.BytesIO()
    Image.new("RGB", (3 * SIDE, 2 * SIDE), RED).save(file, "JPEG", quality=95)
    found = decode(file.getvalue(), SIDE, max_pixels=100 * SIDE * SIDE)
    if not isinstance(found, Decoded):
        raise NodeError(f"expected a JPEG to be decoded, found {found.reason}: {found.detail}; make the bundle again")
    mean = found.pixels.mean(axis=(0, 1))
    if abs(mean - RED).max() > 2:  # noqa: PLR2004 because that much is JPEG's own
        raise NodeError(f"expected a JPEG of colour {RED}, found {mean.round()}; make the bundle again")
    return f"a JPEG of {found.width} x {found.height} to {found.pixels.shape[0]} x {found.pixels.shape[1]}"


def _inferred() -> str:
    """Writes a small model, reads it as the job reads models, and computes with it on the processor."""
    import numpy as np

    from fruits_pipeline.backbones.engines.telemetry import import_openvino

    openvino = import_openvino()
    operations = import_module("openvino.opset13")
    asked = operations.parameter([1, 4], np.float32)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.xml"
        openvino.save_model(openvino.Model([operations.relu(asked)], [asked]), file)
        core = openvino.Core()
        found = core.compile_model(core.read_model(file), "CPU")(np.array([[-1, 0, 1, 2]], np.float32))[0]
    if found.tolist() != [[0, 0, 1, 2]]:
        raise NodeError(f"expected [[0, 0, 1, 2]] of the model, found {found.tolist()}; take another machine type")
    capable = ", ".join(sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")))
    return f"{core.get_property('CPU', 'FULL_DEVICE_NAME').strip()}: {capable}"


def main() -> int:
    """Prints the facts; 0 when all is well."""
    try:
        for fact in facts():
            print(fact, flush=True)
    except NodeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
