"""A job that is granted what the shipped policies grant, and no more: a bucket's of GCS, a role's of S3."""

import pytest
from granted import JOB, shipped

from servers.iam import IamFront
from servers.policies import Grants, PolicyFront

CLASSIFIER = ("--classifier", "logistic_regression")
GS_OUTPUT = "gs://fruits/results/fruits"


@pytest.fixture
def bucket(gcs, sample):
    """The drawn sample where the job may read; nothing below ``results/``."""
    files = (file for file in sample.rglob("*.jpg"))
    gcs.fill_gcs("fruits", {f"packages/drawn/{file.relative_to(sample)}": file.read_bytes() for file in files})
    client = gcs.gcs_client()
    for blob in client.list_blobs("fruits", prefix="results/"):
        blob.delete()
    client.close()


@pytest.fixture
def run(gcs_proxy, command, bucket, tmp_path):  # noqa: ARG001 because fixtures take no marks
    """Runs the job behind the bucket's policy, less what is denied."""
    # Objects that are looked at together go in one request, whose body the front does not read.
    (tmp_path / "spark-defaults.conf").write_text("spark.hadoop.fs.gs.max.requests.per.batch 1\n")

    def run(*denied):
        gcs_proxy.add(PolicyFront("answer", grants=Grants(shipped("gcs"), JOB, "fruits", denied)))
        found = {"FRUITS_GCS_ENDPOINT_URL": gcs_proxy.url, "FRUITS_GCS_ANONYMOUS": "true"}
        words = ("--data-source", "gs://fruits/packages/drawn", "--output-uri", GS_OUTPUT, *CLASSIFIER)
        return command("run", *words, **found, SPARK_CONF_DIR=str(tmp_path))

    return run


def test_a_job_ends_well_with_what_is_granted(run):
    ended = run()
    assert ended.code == 0, ended.err


def test_a_job_that_may_not_write_features_names_the_right(run):
    ended = run(("storage.objects.create", "results/fruits/features/"))
    assert ended.code == 7, ended.err
    assert f"grant storage.objects.create on {GS_OUTPUT}/features/" in ended.err.splitlines()[-1]


@pytest.fixture
def output(request):
    """An output of each test's own."""
    return f"results/{abs(hash(request.node.name))}"


@pytest.fixture
def run_on_s3(seaweed, seaweed_proxy, command, sample, output):
    """Runs the job behind the role's policy, with more statements."""
    files = (file for file in sample.rglob("*.jpg"))
    seaweed.fill_s3("fruits", {f"fruits/{file.relative_to(sample)}": file.read_bytes() for file in files})

    def run(*statements):
        policy = shipped("aws")
        policy["Statement"] += statements
        seaweed_proxy.add(IamFront("answer", policy=policy))
        found = {"FRUITS_S3_ENDPOINT_URL": seaweed_proxy.url, "FRUITS_S3_REGION": "us-east-1"}
        words = ("--data-source", "s3://fruits/fruits", "--output-uri", f"s3://fruits/{output}", *CLASSIFIER)
        return command("run", *words, **seaweed.environment(), **found)

    return run


def test_a_job_on_s3_ends_well_with_what_is_granted(run_on_s3):
    ended = run_on_s3()
    assert ended.code == 0, ended.err


def test_a_job_on_s3_that_may_not_write_features_names_the_right(run_on_s3, output):
    features = f"arn:aws:s3:::fruits/{output}/features/"
    ended = run_on_s3({"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"{features}*"})
    assert ended.code == 7, ended.err
    assert f"grant s3:PutObject on {features}" in ended.err.splitlines()[-1]
