"""A look at the images themselves: labels and sides, sizes, poor pictures, twins, a map, and what is left out."""

import logging
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.examine.facts import Examined
from fruits_pipeline.examine.left_out import left_out
from fruits_pipeline.examine.pictures import issues
from fruits_pipeline.examine.same_look import twins
from fruits_pipeline.examine.seen import COLUMNS, Seen
from fruits_pipeline.session.added import added
from fruits_pipeline.session.tables import write_small
from fruits_pipeline.settings.examine import ExamineSettings
from fruits_pipeline.state.layout import EVALUATION
from fruits_pipeline.state.snapshot import Snapshot
from fruits_pipeline.storage.store import Store
from fruits_pipeline.timeline import step

log = logging.getLogger(__name__)


def examine_images(
    store: Store, reduced: DataFrame, rows: int, snapshot: Snapshot, settings: ExamineSettings
) -> Examined:
    """Writes the tables of ``evaluation/`` that are about images, whatever was learnt from them.

    Args:
        store: The output.
        reduced: All rows of ``reduced``.
        rows: How many they are.
        snapshot: The features and their manifest.
        settings: When a picture is poor, and two are twins.
    """
    asked = issues(settings)
    with step("examine: pictures"):
        looked_at = reduced.select(*COLUMNS, F.slice("pca_features", 1, 2).alias("components"))
        seen = added(looked_at, partial(Seen.of, issues=asked)) or Seen()
    with step("examine: what was left out"):
        without = left_out(reduced.sparkSession, snapshot)
    with step("examine: twins"):
        same, found = twins(reduced, settings.twin_cosine)
    written = {
        "label_counts": (seen.label_counts(), schemas.LABEL_COUNTS),
        "sizes": (seen.common_sizes(), schemas.SIZES),
        "left_out": (without, schemas.LEFT_OUT),
        "picture_issues": (seen.issues(asked), schemas.PICTURE_ISSUES),
        "pictures": (seen.pictures(asked), schemas.PICTURES),
        "map": (seen.map(), schemas.MAP),
        "twins": (same, schemas.TWINS),
    }
    for name, (table, schema) in written.items():
        write_small(store, table, f"{EVALUATION}/{name}", schema)
    poor = {issue.name: seen.poor[issue.name] for issue in asked}
    log.info(
        "pictures that look the same: %d pairs (%d of two labels); %s",
        *(found.pairs, found.two_labels, ", ".join(f"{issue.replace('_', ' ')} {n}" for issue, n in poor.items())),
    )
    return Examined(images=rows, twins=found, sizes=seen.size_facts(), poor=poor)
