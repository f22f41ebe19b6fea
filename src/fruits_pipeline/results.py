"""What an output holds, for notebooks: features with their labels and splits, without Spark."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.reduce.split import hash_share, split_of
from fruits_pipeline.settings.reduce import FOLDER_SPLIT
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.layout import FEATURES, MANIFEST
from fruits_pipeline.state.snapshot import load_snapshot
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store

_DEFAULTS = StorageSettings()


def labelled_features(
    output_uri: str, train_split: str | float = FOLDER_SPLIT, storage: StorageSettings = _DEFAULTS
) -> pd.DataFrame:
    """The features of every image read, with its label and split, from just the files that the output's markers name.

    All of it is held in memory: some 5 KB an image.

    Args:
        output_uri: An output with finished features.
        train_split: As in the settings of ``reduce``: ``folder``, or the share of images for training. With
            ``folder``, images without a split have none where any image has one.
        storage: How buckets are reached.

    Returns:
        Columns ``path, source_path, label, split, content_sha256, width, height, features``, in order of ``path``.

    Raises:
        DatasetError: When there are no finished features.
        StorageError: When a file is gone or cannot be read.

    >>> labelled_features("results")  # doctest: +SKIP
    """
    store = open_store(output_uri, storage)
    snapshot = load_snapshot(store)
    features = _rows(store, snapshot.files(FEATURES), schemas.FEATURES)
    manifest = _rows(store, snapshot.files(MANIFEST), schemas.MANIFEST)
    images = manifest[manifest["skip_reason"].isna()][["path", "source_path", "label", "split"]]
    table = features.merge(images, on="path", how="left").sort_values("path", ignore_index=True)
    share = hash_share(train_split, any_split=bool(images["split"].notna().any()))
    if share is not None:
        table["split"] = table["content_sha256"].map(lambda digest: split_of(digest, share))
    return table.loc[:, ["path", "source_path", "label", "split", *schemas.FEATURES.names[1:]]]


def _rows(store: Store, files: list[str], schema: pa.Schema) -> pd.DataFrame:
    contents = (store.read(uri.below(file, store.root) or "") for file in files)
    tables = [pq.read_table(io.BytesIO(content), schema=schema) for content in contents]
    rows: pd.DataFrame = pa.concat_tables([schema.empty_table(), *tables]).to_pandas()
    return rows
