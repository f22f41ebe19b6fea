"""The model card: what the model is for, what it was made from, how right it is, and what it cannot do."""

import json
from collections.abc import Iterator

from fruits_pipeline.export.intervals import SideScores
from fruits_pipeline.export.show import agreement_line, checked_line, confidence_line, unknown_line
from fruits_pipeline.export.spec import Exported

_LIBRARIES = {"tflite": "litert", "onnx": "onnxruntime", "openvino": "openvino"}

_TRANSFORMS = {"none": "", "sqrt": "square roots, ", "unit": "scaling to one length, "}


def model_card(exported: Exported) -> str:
    """Markdown with a head of YAML, as model hubs read it (https://huggingface.co/docs/hub/model-cards)."""
    sections = (_head, _use, _data, _scores, _agreement, _confidence, _limits, _made)
    return "\n\n".join("\n".join(section(exported)) for section in sections) + "\n"


def _head(exported: Exported) -> Iterator[str]:
    spec = exported.spec
    yield "---"
    yield "pipeline_tag: image-classification"
    yield f"library_name: {_LIBRARIES[spec.format]}"
    yield f"base_model: {spec.trained.backbone}"
    yield "tags: [image-classification, fruits-pipeline]"
    for side in exported.scores:
        yield f"accuracy_{side.split}: {side.accuracy:.4f}"
    yield f"agreement: {exported.agreement.share:.4f}"
    yield f"date: {exported.made}"
    yield "---"


def _use(exported: Exported) -> Iterator[str]:
    spec = exported.spec
    pixels, answers = spec.input, spec.output
    yield f"# {spec.labels} labels from pixels, as {spec.format}"
    yield ""
    yield f"From the pixels of one photo to the probability of each of {spec.labels} labels."
    yield ""
    yield f"* Input `{pixels.name}`: {pixels.dtype} {_shape(pixels.shape)}, {pixels.meaning}."
    yield f"* Output `{answers.name}`: {answers.dtype} {_shape(answers.shape)}, {answers.meaning}; names by index"
    yield f"  in `{spec.labels_file}`, one in each line."
    yield "* Before the model, in this order:"
    steps = spec.preprocessing
    for name in ("first_picture", "colour", "transparency", "resize", "orientation", "scaling"):
        yield f"  * {name.replace('_', ' ')}: {getattr(steps, name)}"
    yield "* `reference/`: ten inputs as PNG, and in `reference.json` what the model must say of them."
    yield "* `model.json`: all of this card for programs."
    if spec.format == "openvino":
        yield "* Two files: `model.xml` has the graph, `model.bin` beside it the weights."


def _data(exported: Exported) -> Iterator[str]:
    trained = exported.spec.trained
    yield "## Data"
    yield ""
    yield f"* Source: {json.dumps(trained.source, ensure_ascii=False)}"
    sides = ", ".join(f"{side.replace('_', ' ')} {images}" for side, images in trained.sides.items())
    yield f"* Images by use: {sides}. Only training images were learnt from."
    yield f"* Features: {trained.backbone}, as published, not trained further; computed by {trained.features_by}."
    yield f"* Then {_TRANSFORMS[trained.transform]}centring, {trained.components} principal components, and a"
    yield "  multinomial logistic regression; in the model these three are one layer."


def _scores(exported: Exported) -> Iterator[str]:
    yield "## Scores"
    yield ""
    yield "Of the run's regression, as the run judged it, with 95 % intervals: accuracy by Wilson's score, macro F1 by"
    yield "1,000 draws of as many images. They hold for photos like these, and are no promise about others."
    yield ""
    yield "| side | images | labels | accuracy | 95 % | macro F1 | 95 % |"
    yield "|---|---|---|---|---|---|---|"
    yield from map(_score_row, exported.scores)


def _score_row(side: SideScores) -> str:
    first, second = ("{:.4f} to {:.4f}".format(*ends) for ends in (side.accuracy_interval, side.macro_f1_interval))
    return (
        f"| {side.split} | {side.images} | {side.labels} | {side.accuracy:.4f} | {first} | {side.macro_f1:.4f} | "
        f"{second} |"
    )


def _agreement(exported: Exported) -> Iterator[str]:
    speed, agreement = exported.speed, exported.agreement
    yield "## This file beside the run"
    yield ""
    yield f"* Agreement: {agreement_line(exported)} (the temperature taken away again)."
    if agreement.left_out:
        reasons = ", ".join(f"{reason} {images}" for reason, images in agreement.left_out.items())
        yield f"* Images that could not be compared: {reasons}."
    yield f"* Size: {exported.size_bytes:,} bytes."
    yield f"* Speed: {speed.milliseconds:.1f} ms a photo, by {speed.package} {speed.version} on one thread of the"
    yield "  machine that wrote it; decoding and resizing not counted."


def _confidence(exported: Exported) -> Iterator[str]:
    fitted, unknown, checked = exported.spec.fitted.confidence, exported.spec.fitted.unknown, exported.checked
    yield "## Confidence"
    yield ""
    yield f"* {confidence_line(exported).capitalize()} (expected calibration error, 15 bins; of the run's regression)."
    if fitted.split == "test":
        yield "* There were too few validation images: confidence, threshold and scores are of the same test images, so"
        yield "  that the first two look better than they are."
    begin = "No threshold:" if unknown.confidence is None else 'Say "unknown"'
    yield f"* {begin} {unknown_line(exported)}."
    if checked is not None:
        yield f"* This file itself: {checked_line(checked)}, {checked.error_before:.4f} without a temperature."


def _limits(exported: Exported) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield "* A photo of something else gets one of the labels too. The threshold is measured on images of known labels;"
    yield "  what the model says of others is not known. The run's familiarity, which tells them, is not in this file."
    yield "* The run's forest is not exported."
    yield "* Photos that look unlike those of the source (light, camera, background, several objects) are not judged."
    if exported.spec.format == "tflite":
        yield "* Weights are int8 (dynamic range): probabilities differ a little from the run's, see the agreement."


def _made(exported: Exported) -> Iterator[str]:
    spec = exported.spec
    yield "## Made"
    yield ""
    yield f"* {exported.made} (UTC), by {', '.join(f'{name} {found}' for name, found in spec.versions.items())}."
    yield f"* SHA-256 of the trained models: `{spec.trained.digest}`."
    yield f"* SHA-256 of the backbone's published weights: `{spec.trained.tensors_sha256}`."
    yield f"* The backbone's weights are those of Keras Applications, pretrained on ImageNet; {spec.trained.licence}."
    yield "  Their licence and that of your own photos go with this file: state both where you publish it."
    yield ""
    yield "| file | sha256 |"
    yield "|---|---|"
    for name, digest in sorted(exported.sha256.items()):
        yield f"| `{name}` | `{digest}` |"


def _shape(sizes: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("N" if size is None else str(size) for size in sizes) + ")"
