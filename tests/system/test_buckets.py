"""The main job on real servers of S3 and GCS: through Spark's connectors, through our own clients, end to end."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from running import kill_command

from fruits_pipeline.state.layout import portable_file
from outputs import assert_equal_results, record, table
from servers.server import Server

# The forest's many files say nothing of a bucket that the regression's do not.
CLASSIFIER = ("--classifier", "logistic_regression")
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
        # S3A of Hadoop 3.4 leaves the markers of folders that it makes.
        keys = [found["Key"] for page in pages for found in page.get("Contents", []) if not found["Key"].endswith("/")]
        return {key: self.client.get_object(Bucket="fruits", Key=key)["Body"].read() for key in keys}

    def fill(self, objects: Mapping[str, bytes]) -> None:
        """Writes what is not yet there."""
        there = self.objects("")
        for key in objects.keys() - there.keys():
            if self.scheme == "gs":
                self.client.bucket("fruits").blob(key).upload_from_string(objects[key])
            else:
                self.client.put_object(Bucket="fruits", Key=key, Body=objects[key])

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
def local(images, tmp_path_factory, command) -> Path:
    """The output of the same job on files, beside the folder of its images."""
    folder = tmp_path_factory.mktemp("local")
    for key, content in images.items():
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    output = folder / "output"
    ended = command("run", "--data-source", folder / "photos", "--output-uri", output, *CLASSIFIER)
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


@pytest.fixture(scope="module")
def moto(moto_server: Server, images) -> Bucket:
    """For what SeaweedFS cannot show: it keeps folders in sight whose last object is gone, as S3 never does."""
    moto_server.fill_s3("fruits", images)
    found = {"FRUITS_S3_ENDPOINT_URL": moto_server.url, "FRUITS_S3_REGION": "us-east-1"}
    return Bucket("s3", moto_server.s3_client(), moto_server.environment() | found)


@pytest.mark.parametrize(("kind", "replaced_in"), [("s3", "moto"), ("gs", "gs")])
def test_a_bucket_gives_what_files_give_and_is_replaced_on_request(
    kind, replaced_in, request, command, local, tmp_path
):
    bucket = request.getfixturevalue(kind)
    words = ("--data-source", f"{bucket.root}/photos", "--output-uri", f"{bucket.root}/out", "--export", "csv")
    ended = command("run", *words, *CLASSIFIER, **bucket.environment)
    assert ended.code == 0, ended.err
    output = bucket.download("out", tmp_path)
    assert_equal_results(local, output, local.parent / "photos", f"{bucket.root}/photos")
    assert record(output)["settings"]["output_uri"] == f"{bucket.root}/out"
    assert list((output / "exports" / "csv").iterdir())
    assert "reader=prefetch" in ended.err
    if kind == "s3":
        assert b'"committer" : "magic"' in next((output / "features/wave=00000").glob("_SUCCESS")).read_bytes()
    before = bucket.objects("out/")
    assert not any("__magic" in key or "_temporary" in key for key in before)
    told = [ended.out.encode(), ended.err.encode(), *before.values()]
    assert not any(SECRET.encode() in text for text in told)

    named = ("--model", f"{bucket.root}/out", f"{bucket.root}/photos/Test/Apple", "--format", "csv")
    ended = command("predict", *named, **bucket.environment)
    assert ended.code == 0, ended.err
    photos = pd.read_csv(io.StringIO(ended.out)).set_index("path")["label_1"]
    predicted = pd.read_parquet(output / "predictions").set_index("path")["prediction"]
    assert len(photos) == sum("photos/Test/Apple/" in key for key in request.getfixturevalue("images"))
    assert (photos == predicted.loc[photos.index]).all()

    bucket = request.getfixturevalue(replaced_in)
    bucket.fill(before)
    again = ("reduce", *words[2:4], "--components", "7", "--overwrite")
    ended = command(*again, **bucket.environment)
    assert ended.code == 0, ended.err
    after = bucket.objects("out/")
    files = [{key for key in written if key.endswith(".parquet")} for written in (before, after)]
    kept, replaced = "out/features/", ("out/reduced/", "out/models/", "out/exports/", "out/predictions/")
    assert {key for key in before if key.startswith(kept)} <= after.keys()
    # Of models as arrays each is the only file of its folder, whose name stays.
    same = {key for key in files[0] & files[1] if key.startswith(replaced)}
    assert same == {f"out/{portable_file(name)}" for name in ("backbone", "reduce")}
    reduction = f"out/{portable_file('reduce')}"
    assert before[reduction] != after[reduction]


def test_a_killed_score_resumes_in_a_bucket_to_what_files_give(s3, local, command, cache_dir, tmp_path):
    place = f"{s3.root}/scored"
    words = ("score", "--model", local, "--wave-images", "10")
    named = ("--data-source", f"{s3.root}/photos/Test", "--output-uri", place)
    markers = "scored/_state/waves/"
    kill_command(cache_dir, *words, *named, once=lambda: len(s3.objects(markers)) >= 2, **s3.environment)
    finished = s3.objects(markers)
    assert not s3.objects("scored/_state/score.json")
    ended = command(*words, *named, **s3.environment)
    assert ended.code == 0, ended.err
    assert f"done={len(finished)} " in ended.err
    whole = tmp_path / "whole"
    ended = command(*words, "--data-source", local.parent / "photos/Test", "--output-uri", whole)
    assert ended.code == 0, ended.err
    found = s3.download("scored", tmp_path)
    for dataset in ("predictions", "features"):
        ours = table(found, dataset, f"{s3.root}/photos").drop(columns="source_path", errors="ignore")
        theirs = table(whole, dataset, local.parent / "photos").drop(columns="source_path", errors="ignore")
        pd.testing.assert_frame_equal(ours, theirs)
    assert record(found)["rooms"]["score"]["drift"] == record(whole)["rooms"]["score"]["drift"]


def test_credentials_that_have_expired_are_told_before_any_work(s3, command):
    environment = {**s3.environment, "AWS_SECRET_ACCESS_KEY": "another"}
    words = ("--data-source", f"{s3.root}/photos", "--output-uri", f"{s3.root}/denied")
    ended = command("run", *words, **environment)
    assert ended.code in (3, 7), ended.err
    assert "Traceback" not in ended.err
    assert s3.objects("denied/") == {}
