"""Poor pictures: dark, bright, nearly empty, blurred or of odd shape, by the figures beside their features."""

from dataclasses import dataclass

import pandas as pd

from fruits_pipeline.settings.examine import ExamineSettings


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

    def values(self, images: pd.DataFrame) -> "pd.Series[float]":
        """The figure of each image; of float32 as many digits as it has, so that 0.95 is 0.95."""
        if self.figure == "shape":
            sides = images[["width", "height"]]
            return sides.min(axis=1) / sides.max(axis=1)
        return images[self.figure].astype(str).astype(float)

    def holds(self, values: "pd.Series[float]") -> "pd.Series[bool]":
        """Whether pictures of these figures have the issue."""
        return values < self.threshold if self.below else values > self.threshold


def issues(settings: ExamineSettings) -> tuple[Issue, ...]:
    """What is looked for."""
    return (
        Issue("dark", "brightest", settings.dark_below),
        Issue("bright", "darkest", settings.bright_above, below=False),
        Issue("nearly_empty", "entropy", settings.plain_below),
        Issue("blurred", "sharpness", settings.blurred_below),
        Issue("odd_shape", "shape", settings.narrow_below),
    )
