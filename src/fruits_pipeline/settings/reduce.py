"""Settings of the reduction: how many principal components are kept, and how they are exported."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter
from pydantic import BeforeValidator, Field

from fruits_pipeline.settings.room import Incidental, Room

ExportKind = Literal["json", "csv"]
TransformName = Literal["none", "sqrt", "unit"]


FOLDER_SPLIT = "folder"


def _folder_or_fraction(value: Any) -> Any:
    """``folder``, or the share of images for training in (0, 1)."""
    if value == FOLDER_SPLIT:
        return value
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = 0.0
    if not 0 < share < 1:
        raise ValueError("expected 'folder' or a fraction in (0, 1) such as 0.8")
    return share


def _share_or_count(value: Any) -> float | int:
    """A number with a dot is a share of the variance in (0, 1]; one without is a count of components."""
    if isinstance(value, str):
        try:
            value = float(value) if "." in value else int(value)
        except ValueError:
            raise ValueError("expected a share such as 0.90 or a count such as 100") from None
    if isinstance(value, float) and 0 < value <= 1:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError("expected a share in (0, 1] such as 0.90, or a count >= 1 such as 100")


class ReduceSettings(Room):
    """How features (D columns) become principal components (k <= D columns)."""

    components: Annotated[float | int, BeforeValidator(_share_or_count)] = Field(
        0.90,
        description="With a dot, such as 0.90: the share of the variance to keep. Without, such as 100: the "
        "number of components.",
    )
    transform: TransformName = Field(
        "sqrt",
        description="Applied to the features before the PCA. sqrt: square roots, so that a few large values "
        "do not dominate; unit: the features of each image scaled to length 1; none: nothing.",
    )
    train_split: Annotated[str | float, BeforeValidator(_folder_or_fraction)] = Field(
        FOLDER_SPLIT,
        description="'folder': folders (train/, test/, ...) or the column split of a table say which images "
        "train; images without are only predicted. Where no image has a split, 80 % train, "
        "chosen by a hash of their content. A fraction such as 0.7: this share trains, by the "
        "same hash, whatever folders and tables say.",
    )
    labels: str | None = Field(
        None,
        min_length=1,
        description="Table (.csv or .parquet) with columns path, label and perhaps split, taken in place of "
        "the labels and splits of --data-source; images that it does not name have none.",
    )
    export: Annotated[tuple[ExportKind, ...], Incidental, Parameter(negative="", show_default=False)] = Field(
        (), description="Write the principal components as text too; repeatable."
    )


class FeaturesFromSettings(Room):
    """Whose features are reduced."""

    features_uri: Annotated[str | None, Incidental] = Field(
        None,
        min_length=1,
        description="Output of an 'extract' or 'run' whose features are used, and only read; by default --output-uri.",
    )
