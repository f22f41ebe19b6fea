"""Samples of images for a comparison: each content once, never by the hash that splits train and test."""

from hashlib import sha256

import numpy as np
import pytest

from fruits_pipeline.score import samples
from fruits_pipeline.score.samples import new_features, trained_components


@pytest.fixture
def images(spark):
    """200 contents of the last fifth of hashes, where ``--train-split`` puts test images; each stands twice."""
    contents = (sha256(str(n).encode()).hexdigest() for n in range(2_000))
    held_out = [content for content in contents if content >= "d"][:200]
    rows = [(content, "ab"[n % 2], [float(n)] * 3) for n, content in enumerate(held_out)]
    return spark.createDataFrame(rows * 2, "content_sha256 string, label string, vector array<float>").cache()


def test_held_out_and_repeated_images_fill_a_sample(images, monkeypatch):
    named = images.withColumnRenamed("vector", "features")
    assert sorted(new_features(named)[:, 0]) == list(range(200))
    monkeypatch.setattr(samples, "MOST", 50)
    found = new_features(named)
    assert found.shape == (50, 3)
    assert len(np.unique(found[:, 0])) == 50
    assert new_features(named.where("label = 'none'")).shape == (0, 0)


def test_training_images_have_the_labels_that_are_wanted(images):
    named = images.withColumnRenamed("vector", "pca_features")
    found = trained_components(named, {"a": 7, "b": 500, "c": 3})[:, 0]
    assert np.bincount(found.astype(int) % 2).tolist() == [7, 100]
    assert len(np.unique(found)) == 107
