"""No image that an int8 model was calibrated with is judged: its score would be better than that of images to come."""

from collections.abc import Iterable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import InputError
from fruits_pipeline.state.snapshot import Snapshot


def refuse_judged(snapshot: Snapshot, parts: Iterable[DataFrame]) -> None:
    """Refuses a split that judges images of the calibration sample; nothing is read where the features are not int8.

    Args:
        snapshot: The features' snapshot.
        parts: Labelled features, whose columns ``content_sha256`` and ``split`` are read.

    Raises:
        InputError: When there is such an image.
    """
    if not snapshot.calibrated_with:
        return
    judged = F.col("content_sha256").isin([*snapshot.calibrated_with]) & (F.col("split") != schemas.TRAIN)
    count = sum(part.where(judged).count() for part in parts)
    if count:
        raise InputError(
            f"expected to judge by images that the int8 model has not seen, found {count} that it was calibrated with "
            "outside of the training side; run 'calibrate' on the training images alone and compute the features "
            "again, take another split, or --precision f32"
        )
