"""Settings of the classifiers; the defaults are chosen for about a hundred labels, by measurement."""

from typing import Annotated, Literal, get_args

from cyclopts import Parameter
from pydantic import AfterValidator, Field

from fruits_pipeline.settings.room import Room

ClassifierName = Literal["random_forest", "logistic_regression"]


def _each_once(names: tuple[ClassifierName, ...]) -> tuple[ClassifierName, ...]:
    """Each classifier once, in the order of ``ClassifierName``: neither order nor repetition changes a result."""
    if not names:
        raise ValueError("expected at least one classifier")
    return tuple(name for name in get_args(ClassifierName) if name in names)


# Measured on 13,309 images of 95 labels, 9,977 of them for training, MobileNetV2 at 224 px, 90 % of the variance of the
# square roots (k = 200), 2026-11-26. A seed moves the accuracy of a forest by up to half a point, so that forests were
# compared by means over six seeds in scikit-learn, whose trees on the same bins have as many nodes; a pass of Spark's
# costs nodes x components tried x bins x labels. 100 trees of depth 15, components, tried, bins, share of rows:
#   50, 4, 8, 0.5  96.76 %, 193,000 nodes       60, 4, 6, 1.0  97.17 %, 292,000 nodes: the default
#   50, 3, 6, 1.0  96.89 % by entropy           70, 5, 6, 1.0  97.27 %, 280,000
#   70, 4, 6, 0.7  96.86 %                      100, 5, 6, 1.0  97.14 %
# In Spark the default gave 97.09 % with seed 42; without square roots, at 50, 4, 8, 0.5, it was 96.16 %.
# Regression, by iterations and L2 penalty: 30, 3e-5  99.22 %; 50, 3e-5  99.34 %; 50, 1e-4  99.28 %; 50, 1e-5  99.31 %;
# in Spark 99.31 % with the default on all rows, and 99.37 % by 50 on a sample of 5,000 rows and 15 on all 9,977, in
# three quarters of the time (9.1 and 12.4 s, 2026-11-26) and with a smaller loss. Without square roots 99.16 % at 50,
# 1e-4. 95 % of the variance (k = 411), which doubles the work, gave 99.43 % at 30, 3e-5.
class ClassifySettings(Room):
    """Which classifiers are fitted, and how."""

    classifier: Annotated[
        tuple[ClassifierName, ...],
        AfterValidator(_each_once),
        Parameter(negative="", consume_multiple=False, show_default=", ".join),
    ] = Field(("random_forest", "logistic_regression"), description="Classifier to train; repeatable.")
    forest_trees: int = Field(100, ge=1, description="Trees in the forest.")
    forest_depth: int = Field(15, ge=1, le=30, description="Depth of each tree.")
    forest_components: int = Field(60, ge=1, description="The forest is trained on this many leading components.")
    forest_tried: int = Field(4, ge=1, description="Components tried at each split of a tree, chosen at random.")
    forest_bins: int = Field(6, ge=2, description="Candidate thresholds for each component.")
    forest_subsampling: float = Field(1.0, gt=0, le=1, description="Share of the training rows for each tree.")
    regression_iterations: int = Field(
        50,
        ge=1,
        description="Most L-BFGS iterations of the regression; where it starts on a sample "
        "(--regression-start-rows), up to 0.3 times as many follow on all rows.",
    )
    regression_start_rows: int = Field(
        5_000,
        ge=1,
        description="Rows of the sample that the regression starts on, at least 50 of each label that has "
        "them; it starts on all rows where there are fewer than 1.5 times as many.",
    )
    regression_l2: float = Field(3e-5, ge=0, description="L2 penalty of the regression.")
    forest_rows: int = Field(
        10_000,
        ge=1,
        description="Most training rows of the forest; of more, a sample with the same share of each label "
        "is taken, but at least 20 rows of each that has them.",
    )
    forest_seed: int = Field(42, description="Seed of the forest.")
    drop_leaks: bool = Field(
        default=False,
        description="Leave judged images out of the scores of which a training image is a near-twin (--twin-bits).",
    )
