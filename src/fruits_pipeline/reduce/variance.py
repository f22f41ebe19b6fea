"""The variance curve: what each component explains, as the table that the report draws."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fruits_pipeline.schemas import VARIANCE


def variance_table(ratio: NDArray[np.float64]) -> pa.Table:
    """Rows of ``schemas.VARIANCE``, one for each component from 1 to D, kept or not.

    Args:
        ratio: float64 (D,), shares of the training variance, falling, sum 1.

    >>> variance_table(np.array([0.75, 0.25]))["cumulative_ratio"].to_pylist()
    [0.75, 1.0]
    """
    columns = [
        pa.array(np.arange(1, ratio.size + 1), pa.int32()),
        pa.array(ratio, pa.float64()),
        pa.array(np.minimum(np.cumsum(ratio), 1.0), pa.float64()),
    ]
    return pa.Table.from_arrays(columns, schema=VARIANCE)
