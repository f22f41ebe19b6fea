"""The models of a bundle, in a folder that the job takes as its ``--cache-dir``."""

import shutil
from pathlib import Path

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.converted import converted_file, obtain_converted
from fruits_pipeline.backbones.quantised import obtain_quantised, quantised_files
from fruits_pipeline.backbones.weights import obtain_weights
from fruits_pipeline.clusters.bundle_index import model_name
from fruits_pipeline.settings.features import EngineName, NetworkSettings


def write_models(network: NetworkSettings, engine: EngineName, folder: Path) -> tuple[str, ...]:
    """Copies the network's models into ``folder``: one for f32 and bf16, and an int8 one where it was calibrated.

    For TensorFlow the canonical weights are copied too, which that engine reads.

    Returns:
        Their names, as ``clusters.bundle_index.model_name`` spells them.

    Raises:
        ModelError: When weights are missing or wrong, or what converts them is not installed.
    """
    cache = network.cache_dir or default_cache_dir()
    backbone = backbone_named(network.backbone)
    side = backbone.side(network.image_size)
    obtain_converted(backbone, side, network.weights, cache)
    files = [converted_file(backbone, side, cache)]
    names = [model_name(backbone.name, side, "f32"), model_name(backbone.name, side, "bf16")]
    if calibrated := quantised_files(backbone, side, cache):
        obtain_quantised(backbone, side, None, cache)
        files += calibrated
        names.append(model_name(backbone.name, side, "int8"))
    if engine == "tensorflow":
        files.append(obtain_weights(backbone, None, cache))
        names.append(model_name(backbone.name, side, engine))
    for file in files:
        copy = folder / file.relative_to(cache)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return tuple(names)
