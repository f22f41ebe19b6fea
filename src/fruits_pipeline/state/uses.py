"""How many images are learnt from, judged, or only predicted."""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.schemas import TEST, TRAIN, VALIDATION


class Uses(BaseModel):
    """Images that were read, by what they were used for; ``counts.Sides`` has what folders and tables say.

    Attributes:
        train: Those that components and classifiers are fitted on.
        validation: Those that are judged as validation.
        test: Those that are judged as test.
        predicted_only: All others: without a split, or without a label where others have one.
    """

    model_config = ConfigDict(frozen=True)

    train: int = 0
    validation: int = 0
    test: int = 0
    predicted_only: int = 0

    @property
    def images(self) -> int:
        """All of them."""
        return self.train + self.validation + self.test + self.predicted_only

    @classmethod
    def of(cls, rows: Iterable[tuple[str | None, bool, int]], *, only_labelled: bool) -> "Uses":
        """The sum of ``rows``: split, whether labelled, and number of images.

        With ``only_labelled``, unlabelled images are predicted only, whatever their split.

        >>> Uses.of([("train", True, 3), ("train", False, 2), (None, True, 1)], only_labelled=True)
        Uses(train=3, validation=0, test=0, predicted_only=3)
        """
        found: Counter[str] = Counter()
        for split, labelled, images in rows:
            counts = split in {TRAIN, VALIDATION, TEST} and (labelled or not only_labelled)
            found[split if counts and split else "predicted_only"] += images
        return cls(**found)
