"""Features of images that are decoded the fast way, against those of the reference's pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from fruits_pipeline.backbones.model import ModelRequest, prepare
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.images.decode import Decoded, decode

SIDE = 224
# As the rules at the top of images/decode.py state it; seen on these images: at least 0.9987 and 0.9974.
COSINE = 0.995


@pytest.fixture(scope="module")
def predict(weights_folder, tmp_path_factory):
    file = next(weights_folder.glob("mobilenet*.h5"))
    return predictor(prepare(ModelRequest(weights=file, cache_dir=tmp_path_factory.mktemp("cache"))), 1)


@pytest.fixture(scope="module")
def fruits(fruits360):
    """Twelve real images of as many labels."""
    folders = sorted(path for path in (fruits360 / "Test").iterdir() if path.is_dir())[::8][:12]
    return [min(folder.glob("*.jpg")).read_bytes() for folder in folders]


def as_photo(content, seed):
    """The image as a camera with many more pixels would give it: enlarged, with noise."""
    large = np.asarray(Image.open(io.BytesIO(content)).resize((1500, 1400), Image.Resampling.BICUBIC))
    noisy = large + np.random.default_rng(seed).normal(0, 5, large.shape)
    stream = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def cosines(predict, contents):
    found = [decode(content, SIDE, 10_000_000) for content in contents]
    assert all(isinstance(image, Decoded) for image in found)
    references = [
        Image.open(io.BytesIO(content)).resize((SIDE, SIDE), Image.Resampling.BILINEAR) for content in contents
    ]
    ours = predict(np.stack([image.pixels for image in found]))
    theirs = predict(np.stack([np.asarray(image) for image in references]))
    return (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)


def test_large_photos(predict, fruits):
    assert cosines(predict, [as_photo(content, seed) for seed, content in enumerate(fruits)]).min() > COSINE


def test_small_images(predict, fruits):
    assert cosines(predict, fruits).min() > COSINE
