"""Makes an app's model of a format from what an output keeps of its backbone."""

from pathlib import Path

from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.chain import AppModel, Chain
from fruits_pipeline.backbones.converted import obtain_converted
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.backbones.weights import obtain_weights
from fruits_pipeline.settings.export import AppFormat


def app_model(form: AppFormat, model: Model, chain: Chain, weights: Path | None, cache: Path) -> AppModel:
    """The whole chain from pixels to probabilities as the files of one format.

    OpenVINO's has the backbone that computed the features, of whatever precision; TFLite's and ONNX's are made from the
    published weights, also where the features are an int8 model's.

    Args:
        form: Of which kind.
        model: The backbone that computed the features.
        chain: What follows it.
        weights: A Keras weights file named by the user, or None.
        cache: The cache folder.

    Raises:
        ModelError: When weights are missing or wrong, a package is missing, or the conversion fails.
    """
    backbone = backbone_named(model.backbone)
    if form == "openvino":
        from fruits_pipeline.backbones.engines.openvino_chain import extend_backbone

        kept = model.engine == "openvino"
        parts = model.parts if kept else obtain_converted(backbone, model.image_size, weights, cache)
        xml, numbers = extend_backbone(parts, chain)
        return AppModel({"model.xml": xml, "model.bin": numbers})
    from fruits_pipeline.backbones.engines.keras_chain import convert_chain

    file = obtain_weights(backbone, weights, cache)
    return AppModel({f"model.{form}": convert_chain(form, backbone, model.image_size, file, chain)})
