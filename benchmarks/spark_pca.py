"""Spark's own PCA on covariances of low rank: why the reduction does not use it, and when it could.

    .venv/bin/python benchmarks/spark_pca.py OUTPUT    # an output with features of at least 400 images

Fits Spark's PCA on 181 images of each of 14 draws, and prints where its variance ratios differ by more than 1 % from
those of NumPy's singular values. With the same rows in one partition it is wrong each time or never.
"""

import argparse

import numpy as np
from pyspark.ml.feature import PCA
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

from fruits_pipeline.results import labelled_features

_IMAGES, _ROWS, _DRAWS, _K = 400, 181, 14, 5


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    images = labelled_features(parser.parse_args().output).sample(_IMAGES, random_state=0)
    features = np.stack(images["features"].to_list()).astype(float)
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    wrong = 0
    for seed in range(_DRAWS):
        values = np.random.default_rng(seed).permutation(features)[:_ROWS]
        squares = np.linalg.svd(values - values.mean(axis=0), compute_uv=False) ** 2
        expected = squares[:_K] / squares.sum()
        rows = spark.createDataFrame([(Vectors.dense(row),) for row in values], ["features"]).coalesce(1)
        found = PCA(k=_K, inputCol="features").fit(rows).explainedVariance.toArray()
        if not np.allclose(found, expected, rtol=0.01):
            wrong += 1
            print(
                f"draw {seed}: Spark {np.round(found, 4).tolist()}, NumPy {np.round(expected, 4).tolist()}", flush=True
            )
    print(f"{wrong} of {_DRAWS} draws are wrong, Spark {spark.version}")


if __name__ == "__main__":
    main()
