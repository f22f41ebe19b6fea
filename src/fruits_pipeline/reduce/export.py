"""The reduced matrix as text files, for tools that do not read Parquet."""

from pydantic import BaseModel, ConfigDict
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.session import tables
from fruits_pipeline.session.tables import conform
from fruits_pipeline.settings.reduce import ExportKind
from fruits_pipeline.state import layout
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store

# RFC 4180: a quote within a value is doubled. Spark would trim values and escape with a backslash.
_CSV = {
    "header": "true",
    "encoding": "UTF-8",
    "quote": '"',
    "escape": '"',
    "ignoreLeadingWhiteSpace": "false",
    "ignoreTrailingWhiteSpace": "false",
}
# A missing label is written as null, so that every line has the same keys.
_JSON = {"encoding": "UTF-8", "ignoreNullFields": "false"}


class Exported(BaseModel):
    """An export: its rows."""

    model_config = ConfigDict(frozen=True)

    rows: int


def export_reduced(spark: SparkSession, store: Store, files: list[str], rows: int, kind: ExportKind) -> Exported:
    """Exports the dataset ``reduced``, whose files are named.

    Raises:
        DatasetError: When they do not have the ``rows`` that their marker tells.
    """
    reduced = tables.read_whole(spark, files, rows, schemas.REDUCED, "reduced")
    export(reduced, uri.join(store.root, layout.EXPORTS, kind), kind)
    return Exported(rows=rows)


def export(reduced: DataFrame, place: str, kind: ExportKind) -> None:
    """Writes the rows of ``schemas.REDUCED`` as text files to the folder ``place``, which its room has cleared.

    Args:
        reduced: Rows of ``schemas.REDUCED``, k components each.
        place: Folder to write.
        kind: ``json``: one object in each line, ``{"path", "source_path", "label", "split", "pca_features": [k
            numbers]}``.
            ``csv``: with header, columns ``path, source_path, label, split, pc_1 ... pc_k``; a missing label is empty.
    """
    rows = conform(reduced, schemas.REDUCED, "reduced").select("path", "source_path", "label", "split", "pca_features")
    if kind == "json":
        rows.write.options(**_JSON).mode("append").json(place)
    else:
        _wide(rows).write.options(**_CSV).mode("append").csv(place)


def _wide(rows: DataFrame) -> DataFrame:
    """One column for each component, as many as the first row has."""
    first = rows.select(F.size("pca_features")).first()
    components = [F.col("pca_features")[i].alias(f"pc_{i + 1}") for i in range(first[0] if first else 0)]
    return rows.select("path", "source_path", "label", "split", *components)
