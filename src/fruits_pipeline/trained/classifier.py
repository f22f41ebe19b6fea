"""A fitted classifier as it is saved below ``models/portable``: its arrays, and the names of its labels."""

import json
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.arrays import Arrays, ForestArrays, RegressionArrays
from fruits_pipeline.trained.saved import loaded_arrays, save_arrays

# More rows at once would leave the processor's cache: each has a place in every tree.
_ROWS: Final = 256
CLASSIFIERS: Final = {"random_forest": ForestArrays, "logistic_regression": RegressionArrays}


@dataclass(frozen=True)
class Classifier:
    """A classifier of L labels by its name, with its arrays and the names of its labels, by index."""

    name: str
    arrays: Arrays
    labels: tuple[str, ...]

    def probabilities(self, components: NDArray[np.float32]) -> NDArray[np.float64]:
        """Float64 (N, L), each row with the sum 1, of components (N, k)."""
        values = components.astype(np.float64)
        parts = (self.arrays.probabilities(values[start : start + _ROWS]) for start in range(0, len(values), _ROWS))
        return np.concatenate([np.empty((0, len(self.labels))), *parts])


def save_classifier(store: Store, classifier: Classifier) -> str:
    """Writes it below ``models/portable``, and gives the SHA-256 of the file."""
    values = {field.name: np.asarray(getattr(classifier.arrays, field.name)) for field in fields(classifier.arrays)}  # type: ignore[arg-type] # because both kinds are dataclasses
    return save_arrays(store, classifier.name, values, {"labels": json.dumps(classifier.labels)})


def loaded_classifier(name: str, content: bytes) -> Classifier:
    """The classifier of a file's content.

    Raises:
        DatasetError: When it is not one of that name.
    """
    arrays, facts = loaded_arrays(content)
    kind = CLASSIFIERS[name]
    try:
        found: Arrays = kind(**{field.name: _as(field.type, arrays[field.name]) for field in fields(kind)})
        return Classifier(name, found, tuple(json.loads(facts["labels"])))
    except (KeyError, ValueError) as error:
        raise DatasetError(f"expected a trained {name}, found other arrays: {error}") from error


def _as(kind: object, values: NDArray[np.float64]) -> object:
    """An array or a number as the field's type says: all were saved as doubles."""
    if kind is int:
        return int(values)
    return values.astype(np.int64 if "int" in str(kind) else np.float64)
