"""What the predictions of new images came to: the facts in their marker and in ``run.json``."""

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.classify.inputs import Labels


class Scored(BaseModel):
    """What the models said of new images.

    Attributes:
        models: The output whose models they are.
        scores: Value of each metric by classifier, over the images that have a label and were not learnt from; none
            where there is no such image.
        judged: How many these are.
        unlearnt: Labels of these that the models do not know.
        learnt: Images whose bytes the models were trained on: predicted, and never judged.
        unfamiliar: Images that lie further off than 99 of 100 held-out ones of the training.
        images: All images.
        predictions: Rows of ``predictions``.
    """

    model_config = ConfigDict(frozen=True)

    models: str
    scores: dict[str, dict[str, float]]
    judged: int
    unlearnt: Labels
    learnt: int
    unfamiliar: int
    images: int
    predictions: int
