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
        description="With a dot: share of the variance to keep, in (0, 1]. Without: count of components.",
    )
    transform: TransformName = Field(
        "sqrt",
        description="Done to the features first. sqrt: few large ones then do not outweigh many small ones; unit: each "
        "image's features get one length; none: nothing.",
    )
    train_split: Annotated[str | float, BeforeValidator(_folder_or_fraction)] = Field(
        FOLDER_SPLIT,
        description="'folder': by split folders or a table's column split; images without a split are predicted only, "
        "and where no image has one, a hash of the content splits them (0.8 train). A fraction: that share of all "
        "images is train, by the same hash, whatever folders and tables say.",
    )
    labels: str | None = Field(
        None,
        min_length=1,
        description="Table (.csv or .parquet) with columns path, label and, if it has it, split, which replace those "
        "of the source; images that it does not name have none.",
    )
    export: Annotated[tuple[ExportKind, ...], Incidental, Parameter(negative="")] = Field(
        (), description="Write the reduced matrix as text too; repeatable."
    )


class FeaturesFromSettings(Room):
    """Whose features are reduced."""

    features_uri: Annotated[str | None, Incidental] = Field(
        None,
        min_length=1,
        description="Output of an 'extract' or 'run' whose features are taken, read only; by default --output-uri.",
    )
