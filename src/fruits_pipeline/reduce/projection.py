"""Given components as a Spark ML stage."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.feature import PCA, PCAModel
from pyspark.ml.linalg import DenseMatrix, DenseVector
from pyspark.ml.wrapper import JavaWrapper

_JVM_CLASS: Final = "org.apache.spark.ml.feature.PCAModel"


def projection(loadings: NDArray[np.float64], ratio: NDArray[np.float64], source: str, target: str) -> PCAModel:
    """The stage that takes the vector column ``source`` (D,) to ``target`` (k,), by the JVM's own constructor.

    Args:
        loadings: float64 (D, k), one component in each column.
        ratio: float64 (k,), their shares of the variance.
        source: Centred vector column.
        target: Column of the result.
    """
    rows, k = loadings.shape
    matrix = DenseMatrix(rows, k, loadings.ravel(order="F"))
    uid = PCA(k=k).uid
    java = JavaWrapper._new_java_obj(_JVM_CLASS, uid, matrix, DenseVector(ratio))  # noqa: SLF001, because there is no public way to make a PCAModel
    model = PCAModel(java)
    model._resetUid(uid)  # noqa: SLF001, because the Python side would keep a uid of its own
    model.setInputCol(source).setOutputCol(target)
    # A copy carries the parameters to the JVM, whose model cannot even print itself without its k.
    return model.copy({model.k: k})
