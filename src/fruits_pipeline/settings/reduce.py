"""Settings of the reduction: how many principal components are kept, and how they are exported."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter
from pydantic import BeforeValidator, Field

from fruits_pipeline.settings.room import Incidental, Room

ExportKind = Literal["json", "csv"]


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
    export: Annotated[tuple[ExportKind, ...], Incidental, Parameter(negative="")] = Field(
        (), description="Write the reduced matrix as text too; repeatable."
    )
