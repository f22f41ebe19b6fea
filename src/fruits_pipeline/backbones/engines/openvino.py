"""Inference by OpenVINO: the default engine."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.engines.pixels import check
from fruits_pipeline.backbones.engines.telemetry import import_openvino
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.errors import ModelError

# Measured, MobileNetV2 at 224, images/s by one thread in f32 and bf16: a static batch of two 145 and 257; a
# dynamic batch of two 136 and 238, of eight 113 and 248, of 32 102 and 206; the same order on two threads.
# Small batches stay in the processor's cache, a static shape has its kernels chosen once, and filling up the
# last batch costs at most one image per call.
BATCH: Final = 2


def load(model: Model, threads: int) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """A function from uint8 (N, S, S, 3) RGB to float32 (N, D), any N; not for two threads at once.

    Every image goes through the same compiled shape, so its features do not depend on its neighbours.

    Args:
        model: an OpenVINO model.
        threads: how many processor threads one call may use.

    Raises:
        ModelError: when OpenVINO is missing, or this processor cannot compute in the model's precision.
    """
    request = compiled(model, threads).create_infer_request()

    def predict(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        check(pixels, model.image_size)
        features = np.empty((len(pixels), model.dimension), dtype=np.float32)
        for start in range(0, len(pixels), BATCH):
            rows = min(BATCH, len(pixels) - start)
            batch = _filled(pixels[start : start + rows])
            features[start : start + rows] = request.infer({0: batch}, share_inputs=True)[0][:rows]
        return features

    return predict


def compiled(model: Model, threads: int) -> Any:
    """The compiled model for uint8 (BATCH, S, S, 3), computing in the precision that was asked for.

    Raises:
        ModelError: when OpenVINO is missing, or this processor cannot compute in the model's precision.
    """
    core = import_openvino().Core()
    graph = core.read_model(*model.parts)
    graph.reshape({0: [BATCH, model.image_size, model.image_size, 3]})
    ready = core.compile_model(graph, "CPU", settings(model, threads))
    effective = ready.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    check_precision(model.precision, effective, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    return ready


def settings(model: Model, threads: int) -> dict[str, Any]:
    """OpenVINO's properties: nothing is left to its guesses about the machine."""
    return {
        "INFERENCE_NUM_THREADS": threads,
        # Several workers pinned to the same first cores would take turns on them.
        "ENABLE_CPU_PINNING": False,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        # Unsaid, OpenVINO takes bf16 on processors with AMX.
        "INFERENCE_PRECISION_HINT": model.precision,
    }


def _filled(batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if len(batch) < BATCH:
        batch = np.concatenate([batch, np.zeros((BATCH - len(batch), *batch.shape[1:]), dtype=np.uint8)])
    return np.ascontiguousarray(batch)


def check_precision(asked: str, effective: str, capabilities: list[str]) -> None:
    """Refuse a processor that would compute in another precision, or only emulate the asked one.

    Args:
        asked: the precision of the model.
        effective: what OpenVINO says that the compiled model computes in.
        capabilities: what OpenVINO says that the processor does natively.

    Raises:
        ModelError: when they differ: features of two precisions must never mix in one dataset.
    """
    native = asked == "f32" or asked.upper() in capabilities
    if effective != asked or not native:
        raise ModelError(
            f"--precision: expected {asked!r}, found that this processor computes in {effective!r} "
            f"(natively: {', '.join(capabilities)}); use --precision f32, or machines with {asked}"
        )
