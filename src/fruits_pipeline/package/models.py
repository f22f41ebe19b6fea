"""The models, laid out as the cache folder that a job reads by ``--cache-dir``."""

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
    """Puts the asked network's models into ``folder``: one for f32 and bf16, int8 where it was calibrated.

    With TensorFlow the canonical weights come too, which that engine reads.

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
        packed = folder / file.relative_to(cache)
        packed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, packed)
    return tuple(names)
