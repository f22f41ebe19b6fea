"""A job that is granted what the shipped policies grant, and no more: a bucket's of GCS, a role's of S3."""

import json

import pytest

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.clusters.templates import filled
from schemas.account import properties
from servers.iam import IamFront
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


def role():
    """The policy of the nodes' role and of runs on EMR Serverless."""
    return properties("us-east-1", Bucket="fruits")["JobPolicy"]["PolicyDocument"]


@pytest.fixture
def run_on_s3(seaweed, seaweed_proxy, command, sample, request):
    """Runs the job behind a role's policy, on an output of its own."""
    files = (file for file in sample.rglob("*.jpg"))
    seaweed.fill_s3("fruits", {f"fruits/{file.relative_to(sample)}": file.read_bytes() for file in files})
    output = f"s3://fruits/results/{abs(hash(request.node.name))}"

    def run(policy):
        seaweed_proxy.add(IamFront("answer", status=403, policy=policy))
        found = {"FRUITS_S3_ENDPOINT_URL": seaweed_proxy.url, "FRUITS_S3_REGION": "us-east-1"}
        words = ("--data-source", "s3://fruits/fruits", "--output-uri", output, *CLASSIFIER)
        return command("run", *words, **seaweed.environment(), **found)

    return run


def test_a_job_on_s3_ends_well_with_what_is_granted(run_on_s3):
    ended = run_on_s3(role())
    assert ended.code == 0, ended.err


def less(sid, action):
    """The role's policy without one action of a statement."""
    found = role()
    (part,) = (part for part in found["Statement"] if part["Sid"] == sid)
    part["Action"] = [one for one in part["Action"] if one != action]
    return found


@pytest.mark.parametrize(
    ("sid", "action"),
    [
        ("ListTheBucket", "s3:ListBucket"),
        ("ReadAndWriteOutput", "s3:PutObject"),
        ("ReadAndWriteOutput", "s3:DeleteObject"),
    ],
)
def test_a_job_on_s3_without_an_action_ends_and_says_so(run_on_s3, sid, action):
    ended = run_on_s3(less(sid, action))
    assert ended.code in {3, 7}, ended.err
    assert "denied" in ended.err.lower() or "403" in ended.err or action in ended.err, ended.err[-2000:]
