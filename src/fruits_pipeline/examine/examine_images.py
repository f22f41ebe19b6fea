"""A look at the images themselves: labels and sides, sizes, poor pictures, twins, a map, and what is left out."""

import logging

from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.examine.counts import label_counts, left_out, sizes
from fruits_pipeline.examine.facts import Examined
from fruits_pipeline.examine.pictures import counted, issues, worst
from fruits_pipeline.examine.same_look import twins
from fruits_pipeline.examine.sample_map import sample_map
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
    with step("examine: counts"):
        sized, size_facts = sizes(reduced)
        written = {
            "label_counts": (label_counts(reduced), schemas.LABEL_COUNTS),
            "sizes": (sized, schemas.SIZES),
            "left_out": (left_out(reduced.sparkSession, snapshot), schemas.LEFT_OUT),
        }
    with step("examine: pictures"):
        counts = counted(reduced, asked)
        written |= {
            "picture_issues": (counts, schemas.PICTURE_ISSUES),
            "pictures": (worst(reduced, asked, counts), schemas.PICTURES),
            "map": (sample_map(reduced), schemas.MAP),
        }
    with step("examine: twins"):
        table, found = twins(reduced, settings.twin_cosine)
        written["twins"] = (table, schemas.TWINS)
    for name, (table, schema) in written.items():
        write_small(store, table, f"{EVALUATION}/{name}", schema)
    poor = {row["issue"]: row["images"] for row in counts.to_pylist()}
    log.info(
        "pictures that look the same: %d pairs (%d of two labels); %s",
        *(found.pairs, found.two_labels, ", ".join(f"{issue.replace('_', ' ')} {n}" for issue, n in poor.items())),
    )
    return Examined(images=rows, twins=found, sizes=size_facts, poor=poor)
