"""One batch: a row for each content, in order, whatever became of it."""

import hashlib

import numpy as np
from PIL import Image

import odd_images as odd
from fruits_pipeline.features.batch import OUTCOME, Treatment, outcomes
from fruits_pipeline.images.decode import Rejected, decode
from fruits_pipeline.images.reason import Reason

TREATMENT = Treatment(image_size=4, max_pixels=10_000, threads=1, decode_timeout_s=60.0)


def flat(shade, width=20):
    return odd.encoded(Image.new("RGB", (width, 10), (shade, shade, shade)), "PNG")


def means(pixels):
    """Stands for a model: two features, the mean shade and its double."""
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    mean = pixels.reshape(len(pixels), -1).mean(axis=1, dtype=np.float32)
    return np.stack([mean, 2 * mean], axis=1)


def rows(contents):
    batch = outcomes(contents, decode, means, TREATMENT)
    assert batch.schema == OUTCOME
    return batch.to_pylist()


def test_rows_keep_their_order_and_their_features():
    gone = Rejected(Reason.MISSING, "gone")
    found = rows([flat(10), b"no image", flat(20, width=30), gone, flat(30)])
    assert [list(row["features"]) for row in found] == [[10, 20], [], [20, 40], [], [30, 60]]
    assert [row["reason"] for row in found] == [None, "not_an_image", None, "missing", None]
    assert found[3]["detail"] == "gone"
    assert [row["width"] for row in found] == [20, None, 30, None, 20]


def test_a_content_that_could_not_be_had_has_no_hash():
    content = flat(10)
    known, unknown = rows([content, Rejected(Reason.UNREADABLE, "denied")])
    assert known["content_sha256"] == hashlib.sha256(content).hexdigest()
    assert unknown["content_sha256"] is None


def test_no_image_at_all_calls_no_model():
    batch = outcomes([b"", b"text"], decode, lambda _: 1 / 0, TREATMENT)
    assert batch["reason"].to_pylist() == ["empty", "not_an_image"]
    assert rows([]) == []
