"""A job on a bucket that grants what ``config/dataproc/bucket-policy.json`` grants, and no more."""

import json

import pytest

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.clusters.templates import filled
from servers.policies import Grants, PolicyFront

CLASSIFIER = ("--classifier", "logistic_regression")
JOB = "serviceAccount:fruits-job@project.iam.gserviceaccount.com"
OUTPUT = "gs://fruits/results/fruits"


def policy():
    """The shipped policy, filled."""
    values = {
        "PROJECT": "project",
        "BUCKET": "fruits",
        "SERVICE_ACCOUNT": JOB.partition(":")[2],
        "SUBMITTER": "user:me",
    }
    return filled(json.loads((config_folder() / "dataproc" / "bucket-policy.json").read_text()), values)


@pytest.fixture
def bucket(gcs, sample):
    """The drawn sample where the job may read; nothing below ``results/``."""
    files = (file for file in sample.rglob("*.jpg"))
    gcs.fill_gcs("fruits", {f"packages/photos/{file.relative_to(sample)}": file.read_bytes() for file in files})
    client = gcs.gcs_client()
    for blob in client.list_blobs("fruits", prefix="results/"):
        blob.delete()
    client.close()


@pytest.fixture
def run(gcs_proxy, command, bucket, tmp_path):  # noqa: ARG001 because fixtures take no marks
    """Runs the job behind a policy."""
    # Objects that are looked at together go in one request, whose body the front does not read.
    (tmp_path / "spark-defaults.conf").write_text("spark.hadoop.fs.gs.max.requests.per.batch 1\n")

    def run(granted):
        gcs_proxy.add(PolicyFront("answer", status=403, grants=Grants(granted, JOB, "fruits")))
        found = {"FRUITS_GCS_ENDPOINT_URL": gcs_proxy.url, "FRUITS_GCS_ANONYMOUS": "true"}
        words = ("--data-source", "gs://fruits/packages/photos", "--output-uri", OUTPUT, *CLASSIFIER)
        return command("run", *words, **found, SPARK_CONF_DIR=str(tmp_path))

    return run


def test_a_job_ends_well_with_what_is_granted(run):
    ended = run(policy())
    assert ended.code == 0, ended.err


def without(role, title):
    """The policy less one grant of the job."""
    return {
        "bindings": [
            binding
            for binding in policy()["bindings"]
            if (binding["role"].rpartition(".")[2], binding.get("condition", {}).get("title")) != (role, title)
            or JOB not in binding["members"]
        ]
    }


@pytest.mark.parametrize(
    ("role", "title", "right"),
    [
        ("legacyBucketReader", None, "storage.objects.list"),
        ("objectViewer", "packages", "storage.objects.get"),
        ("objectUser", "results", "storage.objects.create"),
    ],
)
def test_a_job_without_a_grant_ends_and_names_the_right(run, role, title, right):
    granted = without(role, title)
    assert len(granted["bindings"]) == len(policy()["bindings"]) - 1
    ended = run(granted)
    assert ended.code in {3, 7}, ended.err
    assert right in ended.err.splitlines()[-1] or "denied" in ended.err.splitlines()[-1], ended.err[-2000:]
