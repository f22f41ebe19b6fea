"""The parts of a bundle: the archive, the trimming, the upload, and what is refused."""

import json
import os
import platform
import sys
import tarfile
from pathlib import Path

import pytest

from fruits_pipeline.bundle.archive import archive_folder
from fruits_pipeline.bundle.assemble import assemble_bundle
from fruits_pipeline.bundle.environment import pip
from fruits_pipeline.bundle.interpreter import copy_interpreter
from fruits_pipeline.bundle.trim import trim
from fruits_pipeline.bundle.upload import upload
from fruits_pipeline.clusters.bundle_index import INDEX, BundledFile, Index, content_address, read_bundle, sha256_of
from fruits_pipeline.clusters.releases import releases
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.bundle import BundleSettings
from fruits_pipeline.settings.commands import BundleCommand
from fruits_pipeline.settings.storage import StorageSettings

HERE = "{}.{}".format(*sys.version_info)
PYTHON = str(Path(sys.executable).resolve())
KEPT = {
    "boto3-1.dist-info/METADATA",
    "botocore/data/_retry.json",
    "botocore/data/endpoints.json",
    "botocore/data/partitions.json",
    "botocore/data/s3/2006-03-01/service-2.json.gz",
    "botocore/data/sso-oidc/2019-06-10/service-2.json.gz",
    "botocore/data/sso/2019-06-10/service-2.json.gz",
    "botocore/data/sts/2011-06-15/service-2.json.gz",
    "cv2/cv2.abi3.so",
    "numpy/core/numeric.py",
    "numpy/testing/__init__.py",
    "openvino/__init__.py",
    "openvino/frontend/__init__.py",
    "openvino/frontend/frontend.py",
    "openvino/libs/libopenvino.so.2641",
    "openvino/libs/libopenvino_arm_cpu_plugin.so",
    "openvino/libs/libopenvino_intel_cpu_plugin.so",
    "openvino/libs/libopenvino_ir_frontend.so.2641",
    "openvino/libs/libtbb.so.12",
    "openvino/opset13/ops.py",
    "pandas/_testing/__init__.py",
    "pyarrow/libarrow_flight.so.2200",
}
GONE = {
    "bin/f2py",
    "boto3-1.dist-info/RECORD",
    "botocore/data/ec2/2016-11-15/service-2.json.gz",
    "botocore/data/s3control/2018-08-20/service-2.json.gz",
    "cv2/data/haarcascade_eye.xml",
    "fruits_pipeline-0.dist-info/direct_url.json",
    "numpy/__pycache__/version.cpython-311.pyc",
    "numpy/core/include/numpy/ndarrayobject.h",
    "numpy/core/tests/test_numeric.py",
    "numpy/f2py/__init__.py",
    "openvino/libs/cache.json",
    "openvino/libs/libopenvino_auto_batch_plugin.so",
    "openvino/libs/libopenvino_hetero_plugin.so",
    "openvino/libs/libopenvino_intel_gpu_plugin.so",
    "openvino/libs/libopenvino_intel_npu_compiler.so",
    "openvino/libs/libopenvino_onnx_frontend.so.2641",
    "openvino/libs/libopenvino_tensorflow_lite_frontend.so.2641",
    "openvino/tools/ovc/main.py",
    "pandas/tests/test_frame.py",
    "pyarrow/include/arrow/api.h",
    "pyarrow/src/arrow/python/api.cc",
    "pyarrow/lib.pyx",
    "pydantic/main.pyi",
}


def write(folder, *names):
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content of {name}")


def test_trimming_takes_the_needless_and_leaves_the_needed(tmp_path):
    write(tmp_path, *KEPT, *GONE)
    trim(tmp_path)
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()} == KEPT


def test_archives_of_equal_files_are_equal_whenever_and_by_whomever_they_are_made(tmp_path):
    names = ["b/c.txt", "a.txt", "b/a.txt"]
    for folder, order, mode, when in (("one", names, 0o600, 1), ("two", names[::-1], 0o664, 2_000_000_000)):
        write(tmp_path / folder, *order)
        (tmp_path / folder / "link").symlink_to("a.txt")
        for name in names:
            (tmp_path / folder / name).chmod(mode)
            os.utime(tmp_path / folder / name, (when, when))
        (tmp_path / folder / "b" / "c.txt").chmod(mode | 0o100)
        archive_folder(tmp_path / folder, tmp_path / f"{folder}.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "one.tar.gz") as tar:
        members = {member.name: member for member in tar}
    assert list(members) == ["a.txt", "b/a.txt", "b/c.txt", "link"]
    assert [oct(member.mode) for member in members.values()][:3] == ["0o644", "0o644", "0o755"]
    assert members["link"].linkname == "a.txt"
    assert {(member.uid, member.uname, member.mtime) for member in members.values()} == {(0, "", 0)}


@pytest.fixture
def bundle(tmp_path):
    """A folder with two files and their index."""
    folder = tmp_path / "bundle"
    write(folder, "jobs/run.py", "environment.tar.gz")
    files = {
        name: BundledFile(sha256=sha256_of(folder / name), bytes=(folder / name).stat().st_size)
        for name in ("environment.tar.gz", "jobs/run.py")
    }
    index = Index(version="0", target="emr-7.14", arch="x86_64", models=(), files=files)
    (folder / INDEX).write_text(json.dumps(index.model_dump()))
    return folder, index


def uploaded(bundle, place):
    folder, index = bundle
    return upload(index, folder, str(place), StorageSettings())


def test_an_upload_is_addressed_by_content_and_found_again(bundle, tmp_path):
    address = uploaded(bundle, tmp_path / "bucket")
    folder, index = bundle
    for name, file in index.files.items():
        placed = tmp_path / "bucket" / file.sha256[:16] / Path(name).name
        assert placed.read_bytes() == (folder / name).read_bytes()
    assert address.endswith(f"/{sha256_of(folder / INDEX)[:16]}/{INDEX}")
    for place in (str(folder), address):
        found = read_bundle(place, StorageSettings())
        assert found.index == index
        assert found.address("jobs/run.py") == content_address(found.base, "run.py", index.files["jobs/run.py"].sha256)


def test_a_second_upload_writes_only_what_is_missing_or_cut_short(bundle, tmp_path, caplog):
    caplog.set_level("INFO")
    uploaded(bundle, tmp_path / "bucket")
    assert caplog.text.count("upload=done") == 3
    caplog.clear()
    uploaded(bundle, tmp_path / "bucket")
    assert caplog.text.count("upload=kept") == 3
    cut = next((tmp_path / "bucket").rglob("run.py"))
    content = cut.read_text()
    cut.write_text(content[:3])
    next((tmp_path / "bucket").rglob("environment.tar.gz")).unlink()
    caplog.clear()
    uploaded(bundle, tmp_path / "bucket")
    assert caplog.text.count("upload=done") == 2
    assert cut.read_text() == content


def test_the_index_is_uploaded_last_so_that_what_it_names_is_there(bundle, tmp_path, caplog):
    caplog.set_level("INFO")
    uploaded(bundle, tmp_path / "bucket")
    assert caplog.messages[-1].split("/")[-1].startswith(INDEX)


def asked(**settings):
    return BundleCommand(bundle=BundleSettings(**settings))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"target": "emr-6"},
            "--target: expected one of emr-7.14, emr-spark-8.1, dataproc-2.3, dataproc-3.0, dataproc-serverless-2.3",
        ),
        ({"target": "dataproc-2.3", "arch": "arm64"}, "--arch: expected x86_64 for dataproc-2.3, found 'arm64'"),
    ],
)
def test_what_no_cluster_is_is_refused(settings, told):
    with pytest.raises(SettingsError, match=told):
        assemble_bundle(asked(**settings))


def test_pip_tells_which_version_there_is_none_of(tmp_path):
    (tmp_path / "constraints.txt").write_text("absent==1\n")
    with pytest.raises(SubmissionError, match="found no wheel of absent==1 for the release's Python"):
        pip("download", "--no-index", "--dest", tmp_path, "--constraint", tmp_path / "constraints.txt", "absent")


def test_an_interpreter_of_another_version_is_not_bundled(tmp_path):
    other = releases()["emr-7.14"].model_copy(update={"python": "3.99"})
    with pytest.raises(SettingsError, match=f"expected to run on Python 3.99 on Linux .*, found Python {HERE} on"):
        copy_interpreter(other, "x86_64", tmp_path)


@pytest.mark.skipif(platform.system() != "Linux", reason="an interpreter is bundled on Linux only")
def test_an_interpreter_that_needs_a_newer_glibc_is_not_bundled(tmp_path):
    old = releases()["emr-7.14"].model_copy(update={"python": HERE, "glibc": "2.5"})
    arch = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    with pytest.raises(SubmissionError, match=r"expected an interpreter for glibc 2.5, found .* that needs 2\."):
        copy_interpreter(old, arch, tmp_path)
