"""How many objects were found, what became of them, and what changed since the last start."""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.errors import DatasetError


class Counts(BaseModel):
    """found = read + rejected + skipped + pending; ``pending`` is 0 in every finished output."""

    model_config = ConfigDict(frozen=True)

    found: int = 0
    read: int = 0
    rejected: int = 0
    skipped: int = 0
    pending: int = 0
    reject_reasons: dict[str, int] = {}
    skip_reasons: dict[str, int] = {}

    @property
    def images(self) -> int:
        """Objects that were to be read."""
        return self.found - self.skipped

    @property
    def tried(self) -> int:
        """Images that were read or rejected."""
        return self.read + self.rejected

    @property
    def reject_share(self) -> float:
        """Rejected images as a share in [0, 1] of those tried."""
        return self.rejected / self.tried if self.tried else 0.0

    def checked(self) -> "Counts":
        """These counts, once they add up.

        Raises:
            DatasetError: When an object was lost or counted twice.
        """
        sums = (
            (self.found, self.tried + self.skipped + self.pending, "found"),
            (self.rejected, sum(self.reject_reasons.values()), "rejected"),
            (self.skipped, sum(self.skip_reasons.values()), "skipped"),
        )
        for expected, found, what in sums:
            if expected != found:
                raise DatasetError(f"expected {expected} objects {what}, found {found} in {self!r}; report this")
        return self


class Change(BaseModel):
    """What one command did about the images of the source.

    Attributes:
        kept: Images whose features stayed where they were.
        carried: Images whose features were copied into another wave.
        computed: Images that were read: new and changed ones, and rejects that were tried again.
        relabelled: Images, of those kept or carried, with another label, split or spelling of their path.
        gone: Images that the source no longer has.
    """

    model_config = ConfigDict(frozen=True)

    kept: int = 0
    carried: int = 0
    computed: int = 0
    relabelled: int = 0
    gone: int = 0

    @property
    def told(self) -> str:
        """One line for a log.

        >>> Change(kept=3, carried=1).told
        'kept=3 copied=1 computed=0 relabelled_images=0 removed_images=0'
        """
        return (
            f"kept={self.kept} copied={self.carried} computed={self.computed} relabelled_images={self.relabelled} "
            f"removed_images={self.gone}"
        )


class Sides(BaseModel):
    """Images by the side that their folder or table puts them on; ``none`` is decided later, by ``--train-split``.

    Attributes:
        train: Training images.
        validation: Validation images.
        test: Test images.
        none: Images without a split.
        folders: Images of each split folder as it is spelled, most first; at most ten folders.
    """

    model_config = ConfigDict(frozen=True)

    train: int = 0
    validation: int = 0
    test: int = 0
    none: int = 0
    folders: dict[str, int] = {}

    def __str__(self) -> str:
        """One line for a person.

        >>> str(Sides(train=500, validation=20, none=3, folders={"Training": 500, "val": 20}))
        'train 500, validation 20, none 3 (folders: Training 500, val 20)'
        """
        sides = ", ".join(f"{side} {n}" for side, n in self.model_dump(exclude={"folders"}).items() if n)
        folders = ", ".join(f"{folder} {images}" for folder, images in self.folders.items())
        return f"{sides} (folders: {folders})" if folders else sides


def added(parts: Iterable[Counts]) -> Counts:
    """The sum of several counts, reasons in alphabetical order.

    >>> added([Counts(found=1, read=1), Counts(found=2, skipped=2, skip_reasons={"hidden": 2})]).found
    3
    """
    parts = tuple(parts)
    return Counts(
        found=sum(part.found for part in parts),
        read=sum(part.read for part in parts),
        rejected=sum(part.rejected for part in parts),
        skipped=sum(part.skipped for part in parts),
        pending=sum(part.pending for part in parts),
        reject_reasons=add_reasons(part.reject_reasons for part in parts),
        skip_reasons=add_reasons(part.skip_reasons for part in parts),
    )


def add_reasons(reasons: Iterable[dict[str, int]]) -> dict[str, int]:
    """The sum of several tables of reasons, in alphabetical order."""
    total: Counter[str] = Counter()
    for table in reasons:
        total.update(table)
    return dict(sorted(total.items()))
