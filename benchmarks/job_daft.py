"""The whole job without Spark: features by line (e), Daft with our model, then scikit-learn, judged on Test.

.venv/bin/python benchmarks/job_daft.py --data-source IMAGES --output-uri NEW_FOLDER
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.model import ModelRequest
from images import shared_with_workers

_COMPONENTS = 0.90
_TREES = 100
_SEED = 42


def main() -> None:
    """Prints the accuracy of both classifiers on the Test side, or which package is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-source", type=Path, required=True, help="a folder of Training/LABEL/ and Test/LABEL/")
    parser.add_argument("--output-uri", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    asked = parser.parse_args()
    shared_with_workers()
    try:
        import sklearn  # noqa: F401, because without it the features would be for nothing

        from lines.e_daft import started
    except ImportError as error:
        print(json.dumps({"skipped": str(error)}))
        return
    with started(ModelRequest(cache_dir=asked.cache_dir)) as write_features:
        write_features(asked.data_source, asked.output_uri)
    print(json.dumps({"accuracy": _accuracies(*_read(asked.output_uri))}))


def _read(features: Path) -> tuple[NDArray[np.float32], NDArray[np.str_], NDArray[np.str_]]:
    """Features float32 (N, D), and the label and the split folder of each image, str (N,)."""
    table = pq.read_table(features, columns=["path", "features"])
    values = table["features"].combine_chunks().flatten().to_numpy()
    folders = [path.split("/") for path in table["path"].to_pylist()]
    labels, splits = (np.array([parts[place] for parts in folders]) for place in (-2, -3))
    return values.reshape(table.num_rows, -1), labels, splits


def _accuracies(features: NDArray[np.float32], labels: NDArray[np.str_], splits: NDArray[np.str_]) -> dict[str, float]:
    from sklearn.decomposition import PCA
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    train, test = splits == "Training", splits == "Test"
    pca = PCA(_COMPONENTS, random_state=_SEED).fit(features[train])
    learnt, judged = pca.transform(features[train]), pca.transform(features[test])
    classifiers = {
        "random_forest": RandomForestClassifier(_TREES, n_jobs=-1, random_state=_SEED),
        "logistic_regression": LogisticRegression(),
    }
    return {name: one.fit(learnt, labels[train]).score(judged, labels[test]) for name, one in classifiers.items()}


if __name__ == "__main__":
    main()
