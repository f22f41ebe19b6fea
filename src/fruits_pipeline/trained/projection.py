"""The fitted reduction as arrays: features to components, and how much of them lies outside of the leading ones."""

from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.settings.reduce import TransformName
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.saved import loaded_arrays, save_arrays
from fruits_pipeline.trained.transform import transformed

# The share of the training variance that the components of the residual keep. Ten classes against the images of 85
# others: AUROC by share in docs/ARCHITECTURE.md.
RESIDUAL_SHARE: Final = 0.95


@dataclass(frozen=True)
class Projection:
    """From D features to k components.

    Attributes:
        transform: What is done to features first.
        mean: float64 (D,), what is taken away from transformed features.
        loadings: float64 (D, max(k, m)), one component in each column, by falling variance.
        k: The components that are kept.
        m: The leading components outside of which the residual lies.
    """

    transform: TransformName
    mean: NDArray[np.float64]
    loadings: NDArray[np.float64]
    k: int
    m: int

    def applied(self, features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Components (N, k) and residuals (N,) of features (N, D).

        A residual is the share, from 0 to 1, of an image's squared distance from the mean that lies outside of the m
        leading components: what training images do not vary in. It is 0 at the mean itself.

        >>> plane = Projection("none", np.zeros(2), np.eye(2)[:, :1], 1, 1)
        >>> components, residuals = plane.applied(np.array([[3, 0], [1, 1]], np.float32))
        >>> components.tolist(), residuals.tolist()
        ([[3.0], [1.0]], [0.0, 0.5])
        """
        centred = transformed(features, self.transform) - self.mean
        values = centred @ self.loadings
        whole = np.square(centred).sum(axis=1)
        inside = np.square(values[:, : self.m]).sum(axis=1)
        residuals = np.clip(1 - inside / np.where(whole > 0, whole, 1), 0, 1) * (whole > 0)
        return values[:, : self.k].astype(np.float32), residuals


def save_projection(store: Store, projection: Projection) -> str:
    """Writes it below ``models/portable``, and gives the SHA-256 of the file."""
    facts = {"transform": projection.transform, "k": str(projection.k), "m": str(projection.m)}
    return save_arrays(store, "reduce", {"mean": projection.mean, "loadings": projection.loadings}, facts)


def loaded_projection(content: bytes) -> Projection:
    """The projection of a file's content.

    Raises:
        DatasetError: When it is none.
    """
    arrays, facts = loaded_arrays(content)
    try:
        transform = cast(TransformName, facts["transform"])
        return Projection(transform, arrays["mean"], arrays["loadings"], int(facts["k"]), int(facts["m"]))
    except (KeyError, ValueError) as error:
        raise DatasetError(f"expected a trained reduction, found other arrays: {error}") from error
