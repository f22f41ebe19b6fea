"""Inference by OpenVINO: the default engine."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.engines.pixels import check
from fruits_pipeline.backbones.engines.telemetry import import_openvino
from fruits_pipeline.backbones.model import Model, Precision
from fruits_pipeline.errors import ModelError

# Images in one inference, a static shape whose kernels are chosen once; small batches stay in the processor's
# cache. Measured, MobileNetV2 at 224, one thread, images per second of its own processor time, medians of 15
# interleaved rounds for batches of 1, 2, 4, 8: f32 116, 119, 97, 88; bf16 191, 210, 208, 170; int8 284, 304, 335,
# 334; at 160 f32 212, 234, 226, 204; int8 468, 557, 628, 660. A dynamic batch was 3 to 7 % slower than a static one.
BATCH: Final[dict[Precision, int]] = {"f32": 2, "bf16": 2, "int8": 4}


def load(model: Model, threads: int) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """A function from uint8 (N, S, S, 3) RGB to float32 (N, D), any N; not for two threads at once.

    Every image goes through the same compiled shape, so its features do not depend on its neighbours.

    Args:
        model: an OpenVINO model.
        threads: how many processor threads one call may use.

    Raises:
        ModelError: when OpenVINO is missing, or this processor cannot compute in the model's precision.
    """
    request = compile_model(model, threads).create_infer_request()
    size = BATCH[model.precision]

    def predict(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        check(pixels, model.image_size)
        features = np.empty((len(pixels), model.dimension), dtype=np.float32)
        for start in range(0, len(pixels), size):
            rows = min(size, len(pixels) - start)
            batch = _filled(pixels[start : start + rows], size)
            features[start : start + rows] = request.infer({0: batch}, share_inputs=True)[0][:rows]
        return features

    return predict


def compile_model(model: Model, threads: int) -> Any:
    """The compiled model for uint8 (N, S, S, 3), N that of ``BATCH``, which computes in the model's precision.

    Raises:
        ModelError: when OpenVINO is missing, or this processor cannot compute in the model's precision.
    """
    core = import_openvino().Core()
    graph = core.read_model(*model.parts)
    graph.reshape({0: [BATCH[model.precision], model.image_size, model.image_size, 3]})
    ready = core.compile_model(graph, "CPU", settings(model, threads))
    check_precision(model.precision, computed_precision(ready), core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    return ready


def computed_precision(ready: Any) -> str:
    """The precision that the compiled model computes in: int8 when all convolutions do, else its floating-point type.

    An int8 graph may be run in floating point where a processor or a layer has no int8 kernel, and only the
    runtime model shows it.
    """
    nodes = [node.get_rt_info() for node in ready.get_runtime_model().get_ordered_ops()]
    convolutions = {str(node["runtimePrecision"].astype(str)) for node in nodes if _is_convolution(node)}
    if convolutions and convolutions <= {"u8", "i8"}:
        return "int8"
    return str(ready.get_property("INFERENCE_PRECISION_HINT").get_type_name())


def _is_convolution(node: Any) -> bool:
    return "Convolution" in node["layerType"].astype(str)


def settings(model: Model, threads: int) -> dict[str, Any]:
    """OpenVINO's properties for one worker; threads, streams and precision are all set explicitly."""
    return {
        "INFERENCE_NUM_THREADS": threads,
        # Pinned, several workers would share the same first cores.
        "ENABLE_CPU_PINNING": False,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        # By default OpenVINO takes bf16 on processors with AMX; of an int8 model it is the precision of the rest.
        "INFERENCE_PRECISION_HINT": "f32" if model.precision == "int8" else model.precision,
    }


def _filled(batch: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    if len(batch) < size:
        batch = np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), dtype=np.uint8)])
    return np.ascontiguousarray(batch)


def check_precision(requested: str, computed: str, capabilities: list[str]) -> None:
    """Refuse a processor that computes in another precision, or only emulates the requested one.

    Args:
        requested: the precision of the model.
        computed: the precision that OpenVINO reports for the compiled model.
        capabilities: the precisions that OpenVINO reports as native to the processor.

    Raises:
        ModelError: when they differ: features of two precisions must never mix in one dataset.
    """
    native = requested == "f32" or requested.upper() in capabilities
    if computed != requested or not native:
        raise ModelError(
            f"--precision: expected {requested!r}, found that this processor computes in {computed!r} "
            f"(natively: {', '.join(capabilities)}); use --precision f32, or machines with {requested}"
        )
