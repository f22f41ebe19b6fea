"""Given means and components as Spark ML stages, made by the JVM's own constructors."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.feature import PCA, PCAModel, StandardScaler, StandardScalerModel
from pyspark.ml.linalg import DenseMatrix, DenseVector
from pyspark.ml.wrapper import JavaWrapper

_PACKAGE: Final = "org.apache.spark.ml.feature"


def centring(
    mean: NDArray[np.float64], deviation: NDArray[np.float64], source: str, target: str
) -> StandardScalerModel:
    """The stage that takes ``mean`` away from the vector column ``source`` (D,) and leaves its scale.

    Args:
        mean: float64 (D,).
        deviation: float64 (D,), standard deviations, which the model holds and does not use.
        source: Vector column.
        target: Column of the result.
    """
    uid = StandardScaler().uid
    model = StandardScalerModel(_java("StandardScalerModel", uid, DenseVector(deviation), DenseVector(mean)))
    model._resetUid(uid)  # noqa: SLF001, because the Python side would keep a uid of its own
    model.setInputCol(source).setOutputCol(target)
    return model.copy({model.withMean: True, model.withStd: False})


def projection(loadings: NDArray[np.float64], ratio: NDArray[np.float64], source: str, target: str) -> PCAModel:
    """The stage that takes the vector column ``source`` (D,) to ``target`` (k,).

    Args:
        loadings: float64 (D, k), one component in each column.
        ratio: float64 (k,), their shares of the variance.
        source: Centred vector column.
        target: Column of the result.
    """
    rows, k = loadings.shape
    uid = PCA(k=k).uid
    matrix = DenseMatrix(rows, k, loadings.ravel(order="F"))
    model = PCAModel(_java("PCAModel", uid, matrix, DenseVector(ratio)))
    model._resetUid(uid)  # noqa: SLF001, because the Python side would keep a uid of its own
    model.setInputCol(source).setOutputCol(target)
    # A copy carries the parameters to the JVM, whose model cannot even print itself without its k.
    return model.copy({model.k: k})


def _java(name: str, *arguments: Any) -> Any:
    return JavaWrapper._new_java_obj(f"{_PACKAGE}.{name}", *arguments)  # noqa: SLF001, because there is no public way to make a model from its numbers
