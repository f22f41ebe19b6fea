"""The main job on real servers of S3 and GCS: through Spark's connectors, through our own clients, end to end."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from outputs import assert_equal_results, record

from servers.server import Server

SECRET = "test-secret-key"  # noqa: S105 because it is SeaweedFS's, of tests/servers


@dataclass(frozen=True)
class Bucket:
    """A bucket of a server, as the job and as the test reach it."""

    scheme: str
    client: Any
    environment: Mapping[str, str]

    @property
    def root(self) -> str:
        return f"{self.scheme}://fruits"

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Key and content of each object below ``prefix``, folder markers left out."""
        if self.scheme == "gs":
            found = ((blob.name, blob) for blob in self.client.list_blobs("fruits", prefix=prefix))
            return {name: blob.download_as_bytes() for name, blob in found if not name.endswith("/")}
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket="fruits", Prefix=prefix)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return {key: self.client.get_object(Bucket="fruits", Key=key)["Body"].read() for key in keys}

    def download(self, prefix: str, folder: Path) -> Path:
        """The objects below ``prefix`` as files, for those who read files."""
        for key, content in self.objects(f"{prefix}/").items():
            file = folder / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return folder / prefix


@pytest.fixture(scope="module")
def images(sample) -> dict[str, bytes]:
    """The drawn sample as objects, and one key that is none of the images."""
    files = (file for file in sample.rglob("*.jpg"))
    return {f"photos/{file.relative_to(sample)}": file.read_bytes() for file in files} | {"photos/_notes": b"-"}


@pytest.fixture(scope="module")
def local(sample, tmp_path_factory, command) -> Path:
    """The output of the same job on files."""
    (sample / "_notes").write_bytes(b"-")
    output = tmp_path_factory.mktemp("local") / "output"
    ended = command("run", "--data-source", sample, "--output-uri", output)
    assert ended.code == 0, ended.err
    return output


@pytest.fixture(scope="module")
def s3(seaweed: Server, images) -> Bucket:
    seaweed.fill_s3("fruits", images)
    found = {"FRUITS_S3_ENDPOINT_URL": seaweed.url, "FRUITS_S3_REGION": "us-east-1"}
    return Bucket("s3", seaweed.s3_client(), seaweed.environment() | found)


@pytest.fixture(scope="module")
def gs(gcs: Server, images) -> Bucket:
    gcs.fill_gcs("fruits", images)
    return Bucket("gs", gcs.gcs_client(), {"FRUITS_GCS_ENDPOINT_URL": gcs.url, "FRUITS_GCS_ANONYMOUS": "true"})


@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_bucket_gives_what_files_give(kind, request, command, local, sample, tmp_path):
    bucket = request.getfixturevalue(kind)
    words = ("--data-source", f"{bucket.root}/photos", "--output-uri", f"{bucket.root}/out", "--export", "csv")
    ended = command("run", *words, **bucket.environment)
    assert ended.code == 0, ended.err
    output = bucket.download("out", tmp_path)
    assert_equal_results(local, output, sample, f"{bucket.root}/photos")
    assert record(output)["settings"]["output_uri"] == f"{bucket.root}/out"
    assert list((output / "exports" / "csv").iterdir())
    told = [ended.out.encode(), ended.err.encode(), *bucket.objects("out/").values()]
    assert not any(SECRET.encode() in text for text in told)
    _assert_rules_of_overwriting(bucket, command, words)


def _assert_rules_of_overwriting(bucket: Bucket, command, words) -> None:
    before = bucket.objects("out/")
    ended = command("reduce", *words[2:4], "--components", "7", **bucket.environment)
    assert (ended.code, "--overwrite" in ended.err) == (5, True), ended.err
    ended = command("reduce", *words[2:4], "--components", "7", "--overwrite", **bucket.environment)
    assert ended.code == 0, ended.err
    after = bucket.objects("out/")
    assert {key for key in before if key.startswith("out/features/")} <= after.keys()
    assert not any(key.startswith(("out/predictions/", "out/models/random_forest/")) for key in after)
    assert not {key for key in before if key.startswith("out/models/reduce/")} & {
        key for key in after if key.endswith(".parquet")
    }


def test_s3a_commits_without_renames(s3, command):
    ended = command(
        "extract", "--data-source", f"{s3.root}/photos", "--output-uri", f"{s3.root}/committed", **s3.environment
    )
    assert ended.code == 0, ended.err
    written = s3.objects("committed/")
    (success,) = (content for key, content in written.items() if key.endswith("wave=00000/_SUCCESS"))
    assert b'"committer" : "magic"' in success
    assert not any("__magic" in key or "_temporary" in key for key in written)


def test_credentials_that_have_expired_are_told_before_any_work(s3, command):
    environment = {**s3.environment, "AWS_SECRET_ACCESS_KEY": "another"}
    words = ("--data-source", f"{s3.root}/photos", "--output-uri", f"{s3.root}/denied")
    ended = command("run", *words, **environment)
    assert ended.code in (3, 7), ended.err
    assert "Traceback" not in ended.err
    assert s3.objects("denied/") == {}


def test_an_output_on_disk_and_a_source_in_a_bucket(s3, command, tmp_path):
    words = ("--data-source", f"{s3.root}/photos/Training", "--output-uri", tmp_path / "out")
    ended = command("extract", *words, **s3.environment)
    assert ended.code == 0, ended.err
    assert record(tmp_path / "out")["counts"]["read"] == 96
    assert "reader=prefetch" in ended.err
