"""Runs an app's model by the interpreter that an app has, in a subprocess.

    python -m fruits_pipeline.backbones.engines.runtimes FOLDER MODEL SIDE

reads the model and ``pixels.u8`` from ``FOLDER``, and writes ``probabilities.npy`` and ``ran.json`` there.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.chain import AppModel
from fruits_pipeline.backbones.engines.telemetry import import_openvino
from fruits_pipeline.backbones.subprocess_module import report_error, run_module
from fruits_pipeline.errors import ModelError

PIXELS: Final = "pixels.u8"
_WARM_UP: Final = 5
_TIMED: Final = 30
# uint8 (1, S, S, 3) to float32 (L,).
Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Ran:
    """What ran a model, and how fast.

    Attributes:
        package: The runtime's package.
        version: Its version.
        milliseconds: Of one photo on one thread, the median after a warm-up; pixels are ready.
    """

    package: str
    version: str
    milliseconds: float


def run_app_model(model: AppModel, folder: Path, image_size: int) -> tuple[NDArray[np.float32], Ran]:
    """Probabilities float32 (N, L) of the pixels uint8 (N, S, S, 3) in ``folder``, one image at a time on one thread.

    Args:
        model: What is run.
        folder: Holds the pixels as ``PIXELS``, one image's bytes after the other; the model is written there.
        image_size: S.

    Raises:
        ModelError: When the runtime is not installed, or cannot run the model.
    """
    for name, content in model.files.items():
        (folder / name).write_bytes(content)
    first = next(iter(model.files))
    run_module(__name__, [str(folder), first, str(image_size)], f"running {first}")
    told = json.loads((folder / "ran.json").read_text(encoding="utf-8"))
    return np.load(folder / "probabilities.npy"), Ran(**told)


def main(folder: str, model: str, side: str) -> int:
    """Run, and return the exit status."""
    place, size = Path(folder), int(side)
    pixels = np.memmap(place / PIXELS, np.uint8, "r").reshape(-1, size, size, 3)
    try:
        package, run = _loaded(place / model)
    except ModelError as error:
        return report_error(error)
    np.save(place / "probabilities.npy", np.stack([run(image[None]) for image in pixels]))
    ran = Ran(package, version(package), _milliseconds(run, pixels))
    (place / "ran.json").write_text(json.dumps(asdict(ran)), encoding="utf-8")
    return 0


def _milliseconds(run: Run, pixels: NDArray[np.uint8]) -> float:
    seconds = []
    for turn in range(_WARM_UP + _TIMED):
        image = np.array(pixels[turn % len(pixels)][None])
        begun = time.perf_counter()
        run(image)
        seconds.append(time.perf_counter() - begun)
    return round(1000 * statistics.median(seconds[_WARM_UP:]), 2)


def _loaded(file: Path) -> tuple[str, Run]:
    """The runtime's package, and what runs the file on one thread."""
    load = {".tflite": _litert, ".onnx": _onnxruntime, ".xml": _openvino}[file.suffix]
    try:
        return load(file)
    except ImportError as error:
        raise ModelError(
            f"--format: expected the runtime of {file.name}, found none that can be imported ({error}); "
            "install fruits-pipeline[export]"
        ) from error


def _litert(file: Path) -> tuple[str, Run]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(model_path=str(file), num_threads=1)
    interpreter.allocate_tensors()
    (given,), (got,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        interpreter.set_tensor(given["index"], pixels)
        interpreter.invoke()
        found: NDArray[np.float32] = interpreter.get_tensor(got["index"])[0]
        return found

    return "ai-edge-litert", run


def _onnxruntime(file: Path) -> tuple[str, Run]:
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run(None, {name: pixels})[0][0]
        return found

    return "onnxruntime", run


def _openvino(file: Path) -> tuple[str, Run]:
    core = import_openvino().Core()
    graph = core.read_model(file)
    graph.reshape({0: [1, *graph.input(0).get_partial_shape().get_max_shape()[1:]]})
    how = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(graph, "CPU", how | {"PERFORMANCE_HINT": "LATENCY"}).create_infer_request()

    def run(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = request.infer({0: np.array(pixels)})[0][0].copy()
        return found

    return "openvino", run


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
