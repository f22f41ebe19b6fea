"""``predict`` says of photos what Spark said of them in the run."""

import io

import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.state import layout
from outputs import contents, table


@pytest.mark.parametrize(
    ("classifier", "transform"),
    [("random_forest", "sqrt"), ("logistic_regression", "none"), ("logistic_regression", "unit")],
)
def test_photos_have_the_labels_and_confidences_of_the_run(command, images, output, classifier, transform):
    words = ("--data-source", images, "--output-uri", output, "--transform", transform, "--classifier", classifier)
    ended = command("run", *words)
    assert ended.code == 0, ended.err
    told = command("predict", "--model", output, "--classifier", classifier, "--format", "csv", images)
    assert told.code == 0, told.err
    found = pd.read_csv(io.StringIO(told.out)).set_index("path").sort_index()
    expected = pd.read_parquet(output / "predictions").set_index("path").sort_index()
    assert len(found) == len(expected) == 48
    assert (found["label_1"] == expected["prediction"]).all()
    np.testing.assert_allclose(found["confidence_1"], expected["confidence"], atol=1e-4)


def test_familiarity_is_that_of_the_residuals_of_held_out_images(command, finished, images):
    told = command("predict", "--model", finished, "--format", "csv", images)
    found = pd.read_csv(io.StringIO(told.out)).set_index("path")
    reduced = pd.read_parquet(finished / "reduced").set_index("path").loc[found.index]
    tests = reduced[reduced["split"] == "test"]["residual"].to_numpy()
    further = np.array([(tests >= residual).mean() for residual in reduced["residual"]])
    np.testing.assert_allclose(found["familiarity"], further, atol=1.5 / len(tests))
    assert found["unfamiliar"].sum() < len(found) / 2


def test_the_backbone_of_features_elsewhere_comes_with_the_reduction(command, finished, images, tmp_path):
    elsewhere = tmp_path / "other"
    assert command("reduce", "--features-uri", finished, "--output-uri", elsewhere).code == 0
    assert command("classify", "--output-uri", elsewhere).code == 0
    told = command("predict", "--model", elsewhere, "--format", "csv", images)
    expected = table(elsewhere, "predictions", images)["prediction"].tolist()
    assert pd.read_csv(io.StringIO(told.out))["label_1"].tolist() == expected


def test_features_without_their_backbone_get_it_from_the_run_that_made_them(command, finished, images):
    for file in (finished / layout.BACKBONES).iterdir():
        file.unlink()
    words = ("--output-uri", finished, "--components", "1", "--overwrite")
    before = contents(finished / "predictions")
    refused = command("reduce", *words)
    assert contents(finished / "predictions") == before
    assert (refused.code, "expected the backbone of the features" in refused.message) == (5, True)
    assert command("extract", "--data-source", images, "--output-uri", finished).code == 0
    assert command("reduce", *words).code == 0
