"""The converted model in the cache folder: made once, and made again when it is damaged."""

import hashlib
from importlib.metadata import version

import pytest

from fruits_pipeline.backbones import converted
from fruits_pipeline.backbones.cache import write_whole
from fruits_pipeline.backbones.catalog import Backbone, Tensor
from fruits_pipeline.backbones.engines import conversion
from fruits_pipeline.backbones.weights import cached_weights

VALUE = b"\0\0\x80?"
SHA = hashlib.sha256(VALUE).hexdigest()
TINY = Backbone("tiny", "Tiny", 8, 4, 5, SHA, None, (Tensor("layer", "kernel", (1,), SHA),))
PARTS = (b"<net/>" * 20, b"\1\2\3\4" * 30)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder with the weights of TINY, and a conversion that counts its calls in ``conversions``."""
    write_whole(cached_weights(TINY, tmp_path), VALUE)

    def convert(backbone, image_size, weights):
        assert (backbone, image_size, weights.read_bytes()) == (TINY, 8, VALUE)
        with (tmp_path / "conversions").open("a") as file:
            file.write("1")
        return PARTS

    monkeypatch.setattr(conversion, "convert_in_subprocess", convert)
    return tmp_path


def conversions(cache):
    return len((cache / "conversions").read_text())


def test_it_is_converted_once(cache):
    assert converted.obtain_converted(TINY, 8, None, cache) == PARTS
    cached_weights(TINY, cache).unlink()
    assert converted.obtain_converted(TINY, 8, None, cache) == PARTS
    assert conversions(cache) == 1


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "another"])
def test_a_damaged_one_is_converted_again_with_a_log_line(damage, cache, caplog):
    converted.obtain_converted(TINY, 8, None, cache)
    file = converted.converted_file(TINY, 8, cache)
    whole = file.read_bytes()
    place = whole.index(PARTS[1]) + 50
    file.write_bytes(
        {
            "flipped": whole[:place] + b"\7" + whole[place + 1 :],
            "cut": whole[:place],
            "emptied": b"",
            "another": b"no model at all",
        }[damage]
    )
    assert converted.obtain_converted(TINY, 8, None, cache) == PARTS
    assert file.read_bytes() == whole
    assert conversions(cache) == 2
    assert caplog.text.count("action=convert_again") == 1


def test_no_flipped_bit_gets_through():
    whole = converted.encode_model(PARTS)
    for place in range(len(whole)):
        for bit in range(8):
            flipped = whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :]
            assert converted.decode_model(flipped) is None


def test_size_and_openvino_stand_in_the_name(tmp_path):
    names = {converted.converted_file(TINY, size, tmp_path).name for size in (8, 16)}
    assert len(names) == 2
    assert all(version("openvino") in name for name in names)
