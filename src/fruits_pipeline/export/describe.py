"""The specification of an app's model, before the model is made."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fruits_pipeline.backbones.catalog import Backbone, backbone_named
from fruits_pipeline.errors import InputError
from fruits_pipeline.export.rows import Results
from fruits_pipeline.export.spec import Fitted, Preprocessing, Spec, Tensor, Trained
from fruits_pipeline.images.decode import RULES
from fruits_pipeline.settings.export import AppFormat
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.plan import load_plan
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.trained.models import TrainedModels

_MADE_BY: Final[dict[AppFormat, tuple[str, ...]]] = {
    "tflite": ("tensorflow-cpu", "keras"),
    "onnx": ("tensorflow-cpu", "keras", "tf2onnx", "onnx"),
    "openvino": ("openvino",),
}


def describe(form: AppFormat, models: TrainedModels, trained: Trained, fitted: Fitted) -> Spec:
    """What the model's own file tells.

    Raises:
        InputError: When a label has more than one line.
    """
    labels = models.classifiers[0].labels
    refuse_lines(labels)
    side, first = models.backbone.model.image_size, 1 if form == "tflite" else None
    resize = (
        f"to {side} x {side} pixels, bilinear with antialias (Pillow's BILINEAR; plain bilinear where both sides "
        "grow; large JPEGs at reduced scale first, within 4 grey levels of that); the aspect ratio is not kept"
    )
    return Spec(
        format=form,
        input=Tensor(
            name="pixels", dtype="uint8", shape=(first, side, side, 3), meaning="rows, columns, R G B from 0 to 255"
        ),
        output=Tensor(
            name="probabilities", dtype="float32", shape=(first, len(labels)), meaning="of each label, with the sum 1"
        ),
        preprocessing=Preprocessing(resize=resize, decoding_rules=RULES),
        labels=len(labels),
        fitted=fitted,
        trained=trained,
        versions={"fruits-pipeline": version("fruits-pipeline"), **_versions(_MADE_BY[form])},
    )


def refuse_lines(labels: tuple[str, ...]) -> None:
    """Raises where a label does not fit into one line of ``labels.txt``.

    Raises:
        InputError: Then.
    """
    broken = [label for label in labels if "\n" in label or "\r" in label]
    if broken:
        raise InputError(
            f"expected labels of one line each, for labels.txt, found {broken[0]!r}; rename it by a table of "
            "'reduce --labels', and export that output"
        )


def trained_on(results: Results, models: TrainedModels, storage: StorageSettings) -> Trained:
    """What was trained, and on what.

    Raises:
        DatasetError: When the plan of the features is damaged.
    """
    facts, model = results.reduced.facts_or_fail, models.backbone.model
    plan = load_plan(open_store(facts.features, storage) if facts.features else results.store)
    return Trained(
        source=uri.as_spelled(plan.source_root) if plan else "not known",
        sides=facts.uses.model_dump(),
        digest=models.digest,
        backbone=model.backbone,
        tensors_sha256=backbone_named(model.backbone).tensors_sha256,
        licence=_licence(backbone_named(model.backbone)),
        features_by=f"{model.engine} {model.precision}",
        transform=models.projection.transform,
        components=models.projection.k,
    )


def _licence(backbone: Backbone) -> str:
    if backbone.wheel is None:
        return "no package that has them states a licence"
    wheel = backbone.wheel
    return f"the package {wheel.package} {wheel.version}, which has them too, states {wheel.licence}"


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Those that are installed: TensorFlow has another name on other processors."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
