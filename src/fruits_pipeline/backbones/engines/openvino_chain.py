"""Appends a head to an OpenVINO backbone: one graph from pixels to label probabilities."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fruits_pipeline.backbones.chain import Chain, Head
from fruits_pipeline.backbones.engines.keras_chain import INPUT, OUTPUT, SHORTEST
from fruits_pipeline.backbones.engines.telemetry import import_openvino


def extend_backbone(parts: tuple[bytes, ...], chain: Chain) -> tuple[bytes, bytes]:
    """OpenVINO's XML and weights for uint8 (N, S, S, 3) RGB, giving float32 (N, L), any N.

    Labels and specification stand in the XML's ``rt_info`` under ``fruits_pipeline``.

    Args:
        parts: The XML and the weights of the backbone, of whatever precision.
        chain: What follows it, and what the file tells.

    Raises:
        ModelError: When OpenVINO is not installed.
    """
    ov = import_openvino()
    graph = ov.Core().read_model(*parts)
    features = graph.output(0).get_node().input_value(0)
    whole = ov.Model([_head(ov, features, chain.head)], graph.get_parameters(), "app_model")
    whole.input(0).get_tensor().set_names({INPUT})
    whole.output(0).get_tensor().set_names({OUTPUT})
    whole.set_rt_info(json.dumps(chain.labels), ["fruits_pipeline", "labels"])
    whole.set_rt_info(chain.spec, ["fruits_pipeline", "model.json"])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.xml"
        ov.save_model(whole, file, compress_to_fp16=False)
        return file.read_bytes(), file.with_suffix(".bin").read_bytes()


def _head(ov: Any, features: Any, head: Head) -> Any:
    ops = ov.opset13
    if head.transform == "sqrt":
        features = ops.sqrt(features)
    if head.transform == "unit":
        lengths = ops.sqrt(ops.reduce_sum(ops.multiply(features, features), np.array([1]), keep_dims=True))
        shortest = ops.maximum(lengths, np.float32(SHORTEST))
        features = ops.multiply(features, ops.divide(np.float32(head.length), shortest))
    margins = ops.add(ops.matmul(features, ops.constant(head.weights), False, False), ops.constant(head.bias))
    return ops.softmax(margins, 1)
