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


class ClassifySettings(Room):
    """Which classifiers are fitted, and how."""

    classifier: Annotated[
        tuple[ClassifierName, ...], AfterValidator(_each_once), Parameter(negative="", consume_multiple=False)
    ] = Field(("random_forest", "logistic_regression"), description="Classifier to fit; repeatable.")
    forest_trees: int = Field(50, ge=1, description="Trees in the forest.")
    forest_depth: int = Field(15, ge=1, le=30, description="Depth of each tree.")
    forest_components: int = Field(50, ge=1, description="Leading components that the forest sees.")
    forest_bins: int = Field(16, ge=2, description="Candidate thresholds for each component.")
    forest_subsampling: float = Field(1.0, gt=0, le=1, description="Share of the training rows for each tree.")
    regression_iterations: int = Field(100, ge=1, description="Most L-BFGS iterations of the regression.")
    regression_l2: float = Field(1e-4, ge=0, description="L2 penalty of the regression.")
    seed: int = Field(42, description="Seed of the forest.")
