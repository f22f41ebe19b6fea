"""How familiar an image is: its residual among those of held-out images, which nothing was learnt from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.saved import loaded_arrays, save_arrays

# The quantiles that are kept, 0 to 1 by thousandths.
STEPS: Final = np.linspace(0, 1, 1001)
# An image that lies further off than this share of held-out images is unfamiliar.
UNFAMILIAR: Final = 0.99


@dataclass(frozen=True)
class Familiarity:
    """Quantiles of held-out images' residuals, float64 (1001,), rising."""

    quantiles: NDArray[np.float64]

    def of(self, residuals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Familiarity (N,) of images with these residuals: the share of held-out images that lie further off.

        >>> Familiarity(np.linspace(0, 0.5, 1001)).of(np.array([0.0, 0.125, 0.9])).tolist()
        [1.0, 0.75, 0.0]
        """
        nearer: NDArray[np.float64] = np.interp(residuals, self.quantiles, STEPS)
        return np.subtract(1.0, nearer)

    def is_unfamiliar(self, residuals: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether images (N,) lie further off than 99 of 100 held-out ones."""
        return np.greater(residuals, self.quantiles[round(UNFAMILIAR * (len(STEPS) - 1))])


def save_familiarity(store: Store, familiarity: Familiarity) -> str:
    """Writes it below ``models/portable``, and gives the SHA-256 of the file."""
    return save_arrays(store, "familiarity", {"quantiles": familiarity.quantiles}, {})


def loaded_familiarity(content: bytes) -> Familiarity:
    """The familiarity of a file's content.

    Raises:
        DatasetError: When it is none.
    """
    quantiles = loaded_arrays(content)[0].get("quantiles")
    if quantiles is None or quantiles.shape != STEPS.shape:
        raise DatasetError(f"expected {len(STEPS)} quantiles of a familiarity, found others")
    return Familiarity(quantiles)
