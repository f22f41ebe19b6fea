import shutil

import pytest
from running import kill_command

from outputs import assert_equal_results, record

WAVES = 4


@pytest.fixture(scope="module")
def images(tmp_path_factory, sample):
    folder = tmp_path_factory.mktemp("resumed") / "images"
    shutil.copytree(sample, folder)
    return folder


@pytest.fixture(scope="module")
def whole(images, tmp_path_factory, command):
    """The output of a run that nothing disturbed, in one wave."""
    output = tmp_path_factory.mktemp("whole") / "output"
    ended = command("run", "--data-source", images, "--output-uri", output)
    assert ended.code == 0, ended.err
    return output


def test_a_killed_run_resumes_where_it_was(images, whole, command, cache_dir, tmp_path):
    output = tmp_path / "output"
    words = ["run", "--data-source", images, "--output-uri", output, "--wave-images", 128 // WAVES]
    markers = output / "_state/waves"
    kill_command(cache_dir, *words, once=lambda: len(list(markers.glob("*.json"))) >= 2)
    done = {file: file.stat().st_mtime_ns for file in markers.glob("*.json")}
    assert 2 <= len(done) < WAVES
    ended = command(*words)
    assert ended.code == 0, ended.err
    assert f"done={len(done)} " in ended.err
    assert {file: file.stat().st_mtime_ns for file in done} == done
    assert_equal_results(whole, output, images)


SABOTAGE = """
import os, time
import fruits_pipeline.images.decode as module
whole = module.decode
def decode(content, image_size, max_pixels):
    if b"CRASH-THE-DECODER" in content:
        os.abort()
    if b"HANG-THE-DECODER" in content:
        time.sleep(3600)
    return whole(content, image_size, max_pixels)
module.decode = decode
"""


@pytest.mark.parametrize(("trouble", "reason"), [("CRASH", "crashed"), ("HANG", "timeout")])
def test_an_image_that_ends_or_hangs_its_decoder_costs_one_image(sample, command, tmp_path, trouble, reason):
    images, output, sabotage = tmp_path / "images", tmp_path / "output", tmp_path / "sabotage"
    shutil.copytree(sample / "Training/Apple", images / "Apple")
    good = next((images / "Apple").glob("*.jpg")).read_bytes()
    (images / "Apple/bad.jpg").write_bytes(good + f"{trouble}-THE-DECODER".encode())
    sabotage.mkdir()
    (sabotage / "sitecustomize.py").write_text(SABOTAGE)
    words = ["extract", "--data-source", images, "--output-uri", output, "--decode-timeout-s", 2, "--batch-rows", 4]
    ended = command(*words, "--max-reject-share", 0.5, PYTHONPATH=str(sabotage))
    assert ended.code == 0, ended.err
    counts = record(output)["counts"]
    assert counts["reject_reasons"] == {reason: 1}
    assert counts["read"] == counts["found"] - 1 == 12
    assert "tried again" not in ended.err  # Spark's second attempt of the task decodes in isolation
