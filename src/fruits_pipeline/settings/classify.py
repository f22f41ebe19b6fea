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


# Measured 2026-11-21 on 2 cores that up to ten other processes used too ("cpu": the JVM's processor seconds, which grow
# with such company: compare rows by factors, not by tens of percent). MobileNetV2 at 224 px, 90 % of the variance
# (k = 169), 95 labels, 9,977 training and 3,332 test images.
# Forest of depth 15 on 50 components, 4 tried at each split, by share of the rows and bins; seed 42 unless named:
#   100 trees, 1.0, 16  96.64 %                     97 cpu, 214,144 nodes
#   100 trees, 1.0,  8  96.31 %                     247,932 nodes
#   100 trees, 0.7,  8  96.31 %, 95.89 % (seed 1)   64, 46 cpu, 217,356 nodes
#   100 trees, 0.5,  8  96.07 %                     41 cpu, 187,340 nodes
#   100 trees, 0.5,  8  95.98 %  leaves of 2 rows   70 cpu, 142,358 nodes (with the JVM's vector module)
#   140 trees, 0.5,  8  95.50 %  leaves of 2 rows   84 cpu, 198,968 nodes
# With simplejpeg's pixels, one quiet run each (features took 63.2 s): 1.0, 8  96.97 %, 31.8 s; 0.7, 8  96.67 %, 27.2 s;
# 0.5, 8  96.22 %, 24.5 s, the default, because with the regression's 6.0 s it stays below half of the features' time.
# What counts is nodes x components tried x bins x labels. A seed moves the accuracy by up to 0.9 points, as much as
# most rows differ, and the same test images judged every row.
# Regression with L2 1e-4: 50 iterations 99.10 %, 13 cpu; 100 iterations 99.19 %, 17 cpu.
class ClassifySettings(Room):
    """Which classifiers are fitted, and how."""

    classifier: Annotated[
        tuple[ClassifierName, ...], AfterValidator(_each_once), Parameter(negative="", consume_multiple=False)
    ] = Field(("random_forest", "logistic_regression"), description="Classifier to fit; repeatable.")
    forest_trees: int = Field(100, ge=1, description="Trees in the forest.")
    forest_depth: int = Field(15, ge=1, le=30, description="Depth of each tree.")
    forest_components: int = Field(50, ge=1, description="Leading components that the forest sees.")
    forest_tried: int = Field(4, ge=1, description="Components tried at each split, drawn anew for each.")
    forest_bins: int = Field(8, ge=2, description="Candidate thresholds for each component.")
    forest_subsampling: float = Field(0.5, gt=0, le=1, description="Share of the training rows for each tree.")
    regression_iterations: int = Field(50, ge=1, description="Most L-BFGS iterations of the regression.")
    regression_l2: float = Field(1e-4, ge=0, description="L2 penalty of the regression.")
    forest_seed: int = Field(42, description="Seed of the forest.")
