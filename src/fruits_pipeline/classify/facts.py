"""What the classifiers came to: the facts in their marker and in ``run.json``."""

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.classify.inputs import Labels
from fruits_pipeline.classify.leaks import Leaks
from fruits_pipeline.classify.suspects import Suspects
from fruits_pipeline.state.uses import Uses


class Classified(BaseModel):
    """What the classifiers came to.

    Attributes:
        judged: The side that ``scores`` are of: ``test``, or ``validation`` where there is no test side.
        scores: Value of each metric on that side, by classifier.
        uses: All images by what they were used for.
        unlearnt: Labels of test and validation images that no training image has.
        unjudged: Labels of training images that no test or validation image has.
        duplicate_images: Images whose bytes another image has too.
        duplicates_across_splits: Contents that stand on more than one side: each helps the score without merit.
        predictions: Rows of ``predictions``.
        training_rows: Rows that each classifier learnt from: the forest of some ``--forest-rows``.
        fit_s: Seconds of each fit alone.
        leaks: Judged images of which training has a near-twin.
        suspects: Training images whose label looks wrong; None where there are too many labels to tell.
        portable: SHA-256 of each file of what is trained, by name.
    """

    model_config = ConfigDict(frozen=True)

    judged: str
    scores: dict[str, dict[str, float]]
    uses: Uses
    unlearnt: Labels
    unjudged: Labels
    duplicate_images: int
    duplicates_across_splits: int
    predictions: int
    training_rows: dict[str, int]
    fit_s: dict[str, float]
    leaks: Leaks
    suspects: Suspects | None
    portable: dict[str, str] = {}
