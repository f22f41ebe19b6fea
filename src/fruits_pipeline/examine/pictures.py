"""Poor pictures: dark, bright, nearly empty, blurred or of odd shape, by the figures beside their features.

What holds for more than half of the images is how these pictures are: counted and not told (as cleanvision does).
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.settings.examine import ExamineSettings

MOST_PICTURES: Final = 24
# Above this share it is no issue of single pictures.
_PREVALENT: Final = 0.5


@dataclass(frozen=True)
class Issue:
    """What may be wrong with a picture.

    Attributes:
        name: In one word.
        figure: The column that says so, or ``shape``: the short side as a share of the long one.
        threshold: Beyond it a picture has the issue.
        below: Whether beyond is below.
    """

    name: str
    figure: str
    threshold: float
    below: bool = True

    @property
    def value(self) -> Column:
        """The figure."""
        if self.figure == "shape":
            return F.least("width", "height") / F.greatest("width", "height")
        # Through its text, so that 0.95 as float32 is 0.95.
        return F.col(self.figure).cast("string").cast("double")

    @property
    def holds(self) -> Column:
        """Whether a picture has the issue."""
        return self.value < self.threshold if self.below else self.value > self.threshold


def issues(settings: ExamineSettings) -> tuple[Issue, ...]:
    """What is looked for."""
    return (
        Issue("dark", "brightest", settings.dark_below),
        Issue("bright", "darkest", settings.bright_above, below=False),
        Issue("nearly_empty", "entropy", settings.plain_below),
        Issue("blurred", "sharpness", settings.blurred_below),
        Issue("odd_shape", "shape", settings.narrow_below),
    )


def counted(reduced: DataFrame, asked: tuple[Issue, ...]) -> pa.Table:
    """Rows of ``schemas.PICTURE_ISSUES``, one for each issue, in one pass over rows of ``schemas.REDUCED``."""
    found = reduced.agg(F.count("*").alias("images"), *(F.count_if(issue.holds).alias(issue.name) for issue in asked))
    counts = found.collect()[0]
    rows = []
    for issue in asked:
        share = counts[issue.name] / max(counts["images"], 1)
        row = (issue.name, issue.figure, issue.below, issue.threshold, counts[issue.name], share, share <= _PREVALENT)
        rows.append(dict(zip(schemas.PICTURE_ISSUES.names, row, strict=True)))
    return pa.Table.from_pylist(rows, schema=schemas.PICTURE_ISSUES)


def worst(reduced: DataFrame, asked: tuple[Issue, ...], counts: pa.Table) -> pa.Table:
    """Rows of ``schemas.PICTURES``: the worst pictures of each issue that is told, at most ``MOST_PICTURES``.

    Args:
        reduced: Rows of ``schemas.REDUCED``.
        asked: The issues.
        counts: Rows of ``schemas.PICTURE_ISSUES`` of them.
    """
    told = {row["issue"] for row in counts.to_pylist() if row["images"] and row["told"]}
    found = [schemas.PICTURES.empty_table()]
    for issue in (issue for issue in asked if issue.name in told):
        rows = reduced.where(issue.holds).select("path", "label", "split", issue.value.alias("value"))
        order = F.col("value") if issue.below else F.desc("value")
        first = rows.orderBy(order, "path").limit(MOST_PICTURES).collect()
        found.append(
            pa.Table.from_pylist([{"issue": issue.name, **row.asDict()} for row in first], schema=schemas.PICTURES)
        )
    return pa.concat_tables(found)
