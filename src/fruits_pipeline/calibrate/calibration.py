"""The command ``calibrate``: makes the int8 model from a sample of the user's images, without Spark."""

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.model import Model, ModelRequest, prepare
from fruits_pipeline.backbones.quantised import make_quantised
from fruits_pipeline.calibrate.sample import calibration_sample
from fruits_pipeline.ingest.listing import source_at
from fruits_pipeline.settings.commands import CalibrateCommand


def calibrate_model(command: CalibrateCommand) -> Model:
    """Makes the model that ``--precision int8`` takes from now on for the same network, size and cache folder.

    Raises:
        InputError: When the source has no image that can be used.
        ModelError: When the f32 model cannot be had, or NNCF is missing or fails.
    """
    network = command.network
    backbone = backbone_named(network.backbone)
    image_size = backbone.side(network.image_size)
    cache = network.cache_dir or default_cache_dir()
    source = source_at(command.calibrate.data_source, command.storage)
    source.check()
    pixels, contents = calibration_sample(source, command.calibrate, image_size)
    make_quantised(backbone, image_size, network.weights, cache, pixels, contents)
    return prepare(ModelRequest(backbone.name, "openvino", "int8", image_size, None, cache))
