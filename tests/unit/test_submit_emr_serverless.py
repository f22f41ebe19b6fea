"""Network, image, disks, capacity and attempts on EMR Serverless."""

import pytest
from moto.emrserverless.models import emrserverless_backends

from clouds.aws import ACCOUNT, REGION, job
from clouds.emr_serverless import opened
from fruits_pipeline.cli import _parsed
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.submit.emr_serverless import EmrServerless
from fruits_pipeline.submit.emr_serverless_requests import application_request, job_request, rounded_sizes

ROLE = f"arn:aws:iam::{ACCOUNT}:role/fruits-pipeline-run"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/fruits:1"


def asked(**settings):
    return EmrServerlessSettings(execution_role_arn=ROLE, **settings)


def test_an_application_is_made_with_the_network_the_image_and_the_workers_that_are_asked_for():
    own = asked(subnet=("subnet-1,subnet-2",), security_group=("sg-1",), image_uri=IMAGE, initial_executors=2)
    body = application_request(job(), own, 0)
    assert body["networkConfiguration"] == {"subnetIds": ["subnet-1", "subnet-2"], "securityGroupIds": ["sg-1"]}
    assert body["imageConfiguration"] == {"imageUri": IMAGE}
    cut = rounded_sizes(job().sizes)
    gb = (cut.executor_memory_mib + cut.executor_overhead_mib) // 1024
    size = {"cpu": f"{cut.executor_cores} vCPU", "memory": f"{gb} GB", "disk": "20 GB"}
    assert body["initialCapacity"]["EXECUTOR"] == {"workerCount": 2, "workerConfiguration": size}
    assert body["initialCapacity"]["DRIVER"]["workerCount"] == 1


def test_nothing_is_asked_for_that_was_not_given():
    body = application_request(job(), asked(), 0)
    assert not body.keys() & {"networkConfiguration", "imageConfiguration", "initialCapacity"}


def test_disks_count_in_the_limit_and_in_the_job():
    small, large = (application_request(job(), asked(worker_disk_gb=gb), 0)["maximumCapacity"] for gb in (20, 200))
    assert int(large["disk"].split()[0]) == 10 * int(small["disk"].split()[0])
    said = job_request(job(), asked(worker_disk_gb=200), "t")["jobDriver"]["sparkSubmit"]["sparkSubmitParameters"]
    assert "spark.emr-serverless.driver.disk=200g" in said
    assert "spark.emr-serverless.executor.disk=200g" in said


def test_attempts_are_one_unless_more_are_asked_for():
    found = [job_request(job(), asked(**more), "t")["retryPolicy"] for more in ({}, {"max_attempts": 3})]
    assert found == [{"maxAttempts": 1}, {"maxAttempts": 3}]


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({"network_configuration": {"subnetIds": ["subnet-9"]}}, "networkConfiguration"),
        ({"image_configuration": {"imageUri": IMAGE}}, "networkConfiguration"),
    ],
)
def test_an_application_with_another_network_is_refused_and_not_used(held, told):
    with opened() as cloud:
        cloud.platform().start()
        (application,) = emrserverless_backends[ACCOUNT][REGION].applications.values()
        for name, value in held.items():
            setattr(application, name, value)
        sent = len(cloud.sent())
        cloud._settings = asked(subnet=("subnet-1",))
        with pytest.raises(SubmissionError, match=f"expected application .* with {told} .*--application-name"):
            cloud.platform().start()
        assert len(cloud.sent()) == sent


def test_an_application_with_what_is_asked_for_is_used_in_whatever_order_it_is_told():
    """The service adds defaults of its own, such as ``diskType``."""
    with opened() as cloud:
        cloud._settings = asked(subnet=("subnet-1,subnet-2",), initial_executors=1)
        cloud.platform().start()
        (application,) = emrserverless_backends[ACCOUNT][REGION].applications.values()
        application.network_configuration = {"subnetIds": ["subnet-2", "subnet-1"], "securityGroupIds": ["sg-own"]}
        for workers in application.initial_capacity.values():
            workers["workerConfiguration"] |= {"diskType": "STANDARD"}
        assert cloud.platform().start().attached
        application.initial_capacity["EXECUTOR"]["workerCount"] = 2
        with pytest.raises(SubmissionError, match=r"expected application .* with initialCapacity"):
            cloud.platform().start()


def test_an_application_that_is_named_by_its_id_takes_none_of_them():
    with pytest.raises(SettingsError, match="expected no --subnet, --initial-executors with --application-id"):
        EmrServerless(job(), asked(application_id="00a", subnet=("subnet-1",), initial_executors=1))


def test_an_image_is_one_of_ecr():
    words = ["submit", "emr-serverless", "--data-source", "s3://b/in", "--output-uri", "s3://b/out", "--dry-run"]
    with pytest.raises(SettingsError, match="expected the address of an image in ECR"):
        _parsed([*words, "--image-uri", "fruits:1"])
    assert _parsed([*words, "--image-uri", IMAGE]).keywords["settings"].emr_serverless.image_uri == IMAGE


def test_no_more_workers_are_kept_ready_than_the_job_has():
    with pytest.raises(SettingsError, match="--initial-executors: expected at most the 3 executors of the job"):
        application_request(job("m6i.xlarge"), asked(initial_executors=4), 0)
