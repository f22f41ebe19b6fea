"""How well the residual tells images of no known label: ten labels are known, the images of all others are strange.

    .venv/bin/python benchmarks/familiarity.py OUTPUT        # an output with features of at least eleven labels

Prints the AUROC between test images of the ten labels with most images and the training images of the others, by
transform and by the share of the variance that the leading components keep, and what the threshold of `predict` does.
"""

import argparse
from collections.abc import Iterator
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from fruits_pipeline.reduce import cut
from fruits_pipeline.reduce.decompose import eigen
from fruits_pipeline.results import labelled_features
from fruits_pipeline.settings.reduce import TransformName
from fruits_pipeline.trained.familiarity import STEPS, Familiarity
from fruits_pipeline.trained.projection import Projection
from fruits_pipeline.trained.transform import transformed

_SHARES = (0.8, 0.9, 0.95, 0.97, 0.99)
_KNOWN = 10


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    images = labelled_features(parser.parse_args().output)
    known = images["label"].value_counts().index[:_KNOWN]
    is_known, is_train = images["label"].isin(known), images["split"] == "train"
    groups = (is_known & is_train, is_known & ~is_train, ~is_known & is_train)
    fit, own, strange = (_features(images[group]) for group in groups)
    print(f"{len(fit)} training and {len(own)} test images of {_KNOWN} labels, {len(strange)} of others\n")
    print("| transform | share | m | AUROC | own beyond 0.99 | strange beyond 0.99 |\n|---|---|---|---|---|---|")
    for transform in get_args(TransformName):
        for share, projection in _projections(fit, transform):
            ours, theirs = (projection.applied(values)[1] for values in (own, strange))
            auroc = mannwhitneyu(theirs, ours).statistic / (len(ours) * len(theirs))
            half = np.random.default_rng(0).permutation(len(ours)) < len(ours) // 2
            familiarity = Familiarity(np.quantile(ours[half], STEPS))
            beyond = [familiarity.is_unfamiliar(values).mean() for values in (ours[~half], theirs)]
            print(f"| {transform} | {share} | {projection.m} | {auroc:.4f} | {beyond[0]:.3f} | {beyond[1]:.3f} |")


def _features(images: pd.DataFrame) -> NDArray[np.float32]:
    return np.stack(images["features"].to_list()).astype(np.float32)


def _projections(fit: NDArray[np.float32], transform: TransformName) -> Iterator[tuple[float, Projection]]:
    values = transformed(fit, transform).astype(np.float64)
    mean = values.mean(axis=0)
    ratio, loadings = eigen(np.cov(values, rowvar=False))
    for share in _SHARES:
        m = cut.kept(ratio, share, len(fit))
        yield share, Projection(transform, mean, loadings[:, :m], m, m)


if __name__ == "__main__":
    main()
