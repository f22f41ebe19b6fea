"""Wheels of a bundle against the SHA-256 that are known of them."""

import json
import re

import pytest

from fruits_pipeline.bundle import hashes
from fruits_pipeline.bundle.hashes import Wheel, known_hashes, requirements, wheels, write_hashes
from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.errors import SubmissionError

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
OURS = Wheel("fruits-pipeline==0.1.0", "file:///made/fruits_pipeline-0.1.0-py3-none-any.whl", C)


@pytest.fixture
def _lines(tmp_path, monkeypatch):
    """A folder of constraints in which line ``z`` knows one wheel."""
    monkeypatch.setattr(hashes, "config_folder", lambda: tmp_path)
    (tmp_path / "constraints").mkdir()
    write_hashes("z", [Wheel("six==1.17.0", "https://index/six.whl", A), OURS])


def item(name, version, url, **place):
    return {"metadata": {"name": name, "version": version}, "download_info": {"url": url, **place}}


def test_a_report_gives_names_as_requirements_have_them_and_no_folders():
    archive = {"archive_info": {"hashes": {"sha256": A}}}
    report = [
        item("Ruamel.Yaml_clib", "1.0", "https://index/r.whl", **archive),
        item("fruits-pipeline", "0", "file:///f", dir_info={}),
    ]
    assert wheels(json.dumps({"install": report})) == [Wheel("ruamel-yaml-clib==1.0", "https://index/r.whl", A)]


@pytest.mark.usefixtures("_lines")
def test_known_wheels_and_our_own_become_requirements_with_hashes():
    found = requirements([Wheel("six==1.17.0", "https://index/six.whl", A), OURS], "z")
    assert found == f"six==1.17.0 --hash=sha256:{A}\n{OURS.url} --hash=sha256:{C}\n"
    assert known_hashes("z") == {"six==1.17.0": {A}}


@pytest.mark.usefixtures("_lines")
def test_another_file_of_a_known_version_is_refused():
    with pytest.raises(SubmissionError, match=f"expected a wheel of six==1.17.0 with SHA-256 {A}, found {B}"):
        requirements([Wheel("six==1.17.0", "https://index/six.whl", B)], "z")


@pytest.mark.usefixtures("_lines")
def test_of_a_version_that_nobody_knows_the_registry_is_believed_and_that_is_told(caplog):
    found = requirements([Wheel("six==1.18.0", "https://index/six.whl", B)], "z")
    assert found == f"six==1.18.0 --hash=sha256:{B}\n"
    assert caplog.messages == [f"six==1.18.0: no SHA-256 of it is known; the registry's own is taken, {B}"]


@pytest.mark.usefixtures("_lines")
def test_a_wheel_of_others_is_not_believed_for_lying_here():
    with pytest.raises(SubmissionError, match=r"expected a wheel of six==1\.17\.0"):
        requirements([Wheel("six==1.17.0", "file:///wheels/six.whl", B)], "z")


def test_a_registry_without_sha256_is_told():
    place = item("six", "1.17.0", "https://index/six.whl", archive_info={"hash": "md5=0"})
    with pytest.raises(SubmissionError, match=r"expected a SHA-256 of six==1\.17\.0"):
        wheels(json.dumps({"install": [place]}))


@pytest.mark.parametrize("line", ["a", "b"])
def test_all_that_is_known_is_pinned(line):
    pinned = (config_folder() / "constraints" / f"{line}.txt").read_text().lower()
    named = {re.sub(r"[-_.]+", "-", name) for name in re.findall(r"^[^#\s=]+==\S+", pinned, re.MULTILINE)}
    known = known_hashes(line)
    assert len(known) > 50
    assert {re.sub(r"[-_.]+", "-", name) for name in known} <= named
    assert all(re.fullmatch(r"[0-9a-f]{64}", sha256) for found in known.values() for sha256 in found)
