"""What an export came to, in a few lines for a person."""

from collections.abc import Iterator
from math import floor

from fruits_pipeline.export.spec import Checked, Exported


def summary(exported: Exported, folder: str) -> str:
    """Size, agreement, speed, confidence and threshold, one fact a line.

    Args:
        exported: What was written.
        folder: Its address.
    """
    return "\n".join(f"{name:<12}{value}" for name, value in _facts(exported, folder))


def _facts(exported: Exported, folder: str) -> Iterator[tuple[str, str]]:
    spec, agreement, speed = exported.spec, exported.agreement, exported.speed
    model = " and ".join(name for name in exported.sha256 if name.startswith("model."))
    yield "model", f"{model}, {exported.size_bytes / 1e6:.2f} MB, {spec.labels} labels"
    yield "agreement", agreement_line(exported)
    yield "speed", f"{speed.milliseconds:.1f} ms a photo on one thread ({speed.package} {speed.version})"
    yield "confidence", confidence_line(exported)
    yield "unknown", unknown_line(exported)
    if exported.checked is not None:
        yield "checked", checked_line(exported.checked)
    if agreement.left_out:
        yield "left out", ", ".join(f"{reason} {images}" for reason, images in agreement.left_out.items())
    yield "not in it", "the forest, and familiarity: a photo of something else is not recognised as such"
    yield "written", folder


def agreement_line(exported: Exported) -> str:
    """How far the model agrees with the run."""
    found = exported.agreement
    return (
        f"{found.share:.2%} with Spark's regression on {found.images} images ({found.held_out} of them held out); "
        f"confidence differs by {found.mean_difference:.4f} on average, {found.largest_difference:.4f} at most"
    )


def confidence_line(exported: Exported) -> str:
    """How the confidence was fitted, and what that did."""
    fitted = exported.spec.fitted.confidence
    images = f"{fitted.images} images of {fitted.split}, of {fitted.labels} of {exported.spec.labels} labels"
    if fitted.temperature == 1:
        return f"left as it is: calibration error {fitted.error_before:.4f} on {images}"
    return (
        f"temperature {fitted.temperature:.3f} from {images}: calibration error {fitted.error_before:.4f}, then "
        f"{fitted.error_after:.4f}"
    )


def checked_line(checked: Checked) -> str:
    """How the written model does on test images."""
    return (
        f"{checked.reached:.2%} of its answers to {checked.images} test images are right, given for "
        f"{checked.coverage:.2%} of them; calibration error {checked.error_after:.4f}"
    )


def unknown_line(exported: Exported) -> str:
    """Which answers not to give."""
    unknown = exported.spec.fitted.unknown
    if unknown.confidence is None:
        return f"no confidence has answers of which {unknown.precision:.0%} are right"
    least = floor(unknown.confidence * 10_000) / 10_000
    return (
        f"below {least:.4f}: {unknown.reached:.2%} of the answers above are right (asked for: "
        f"{unknown.precision:.0%}), for {unknown.coverage:.2%} of the images"
    )
