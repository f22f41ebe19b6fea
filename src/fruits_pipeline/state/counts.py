"""How many objects were found, and what became of them."""

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


def add_reasons(reasons: Iterable[dict[str, int]]) -> dict[str, int]:
    """The sum of several tables of reasons, in alphabetical order."""
    total: Counter[str] = Counter()
    for table in reasons:
        total.update(table)
    return dict(sorted(total.items()))
