import dataclasses
import subprocess
import sys

import pytest
from moto.emrserverless.models import emrserverless_backends

from clouds.aws import job
from clouds.emr import _clusters, shared, transient
from clouds.emr_serverless import opened
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.submit.aws import Aws
from fruits_pipeline.submit.emr import Emr
from fruits_pipeline.submit.emr_requests import cluster_request, same_size_types, steps
from fruits_pipeline.submit.emr_serverless import EmrServerless
from fruits_pipeline.submit.emr_serverless_requests import job_request, rounded_sizes
from fruits_pipeline.submit.platform import Phase
from fruits_pipeline.submit.submission import dry_run
from schemas.aws import request_faults

ROLE = "arn:aws:iam::123456789012:role/fruits-pipeline-run"
SUBNETS = EmrSettings(subnet=("subnet-1", "subnet-2"))
PLATFORMS = {
    "submit_emr": Emr(job(), SUBNETS),
    "submit_emr_step": Emr(job(), EmrSettings(cluster_id="j-ABC")),
    "submit_emr_serverless": EmrServerless(job(), EmrServerlessSettings(execution_role_arn=ROLE)),
    "submit_emr_arm": Emr(job("c7g.4xlarge"), SUBNETS),
    "submit_emr_serverless_arm": EmrServerless(job("r6g.xlarge"), EmrServerlessSettings(execution_role_arn=ROLE)),
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_request_is_one_that_aws_takes(name):
    for request in PLATFORMS[name].requests():
        service, operation = request.operation.split(".")
        given = {"applicationId": "00aa"} if "applicationId" in request.body else {}
        assert request_faults(service, operation, request.body | given) == []


# What `aws` 1.46 itself sends for these lines was seen to be the requests below them, member by member.
@pytest.mark.parametrize("name", ["submit_emr", "submit_emr_step", "submit_emr_serverless"])
def test_a_dry_run_prints_the_line_and_the_requests(name, golden):
    golden(name, dry_run(PLATFORMS[name]), job_id=job().job_id)


def test_a_dry_run_needs_neither_boto3_nor_spark():
    code = (
        "import sys;"
        "from fruits_pipeline.settings.commands import RunCommand;"
        "from fruits_pipeline.settings.submit import SubmitSettings;"
        "from fruits_pipeline.settings.emr import EmrSettings;"
        "from fruits_pipeline.submit import emr, emr_serverless, job, submission;"
        "asked = RunCommand.model_validate({'output': {'output_uri': 's3://b/o'}, 'ingest': {'data_source': 's3://b/p'}});"
        "found = job.submitted_job('emr', asked, SubmitSettings(dry_run=True, bundle='none'));"
        "submission.dry_run(emr.Emr(found, EmrSettings()));"
        "print(sorted({'boto3', 'botocore', 'pyspark', 'google.cloud', 'openvino'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("machine_type", "types"),
    [
        ("m6i.2xlarge", ["m6i.2xlarge", "m6a.2xlarge", "m7i.2xlarge"]),
        ("m5.2xlarge", ["m5.2xlarge", "m6i.2xlarge", "m6a.2xlarge", "m7i.2xlarge"]),
        ("c7g.4xlarge", ["c7g.4xlarge", "c6g.4xlarge", "c6gd.4xlarge"]),
        ("m5.24xlarge", ["m5.24xlarge"]),
    ],
)
def test_task_nodes_are_of_types_alike(machine_type, types):
    assert same_size_types(job(machine_type)) == types


def _types(found):
    fleets = cluster_request(found, SUBNETS)["Instances"]["InstanceFleets"]
    return [kind["InstanceType"] for kind in fleets[2]["InstanceTypeConfigs"]]


def test_in_another_precision_all_nodes_are_of_the_type_asked_for():
    precise = dataclasses.replace(job(), arguments=(*job().arguments, "--precision", "int8"))
    assert _types(precise) == ["m6i.xlarge"]
    assert _types(job()) == ["m6i.xlarge", "m6a.xlarge", "m7i.xlarge"]


def test_the_step_runs_in_cluster_mode_with_both_archives_and_the_python_of_the_bundle():
    (step,) = steps(job(), SUBNETS)
    words = step["Args"]
    assert words[words.index("--deploy-mode") + 1] == "cluster"
    assert words[words.index("--archives") + 1] == ",".join(job().archives)
    assert "spark.yarn.appMasterEnv.PYSPARK_PYTHON=./environment/bin/python" in words
    assert words[words.index(job().script) + 1 :] == list(job().arguments)


@pytest.mark.parametrize("name", PLATFORMS)
def test_no_job_asks_for_a_catalogue_of_tables(name):
    """Where Glue's is the cluster's default, the job's role would need rights to it."""
    assert "spark.sql.catalogImplementation=in-memory" in PLATFORMS[name].command_line()


def test_what_is_missing_is_named_by_its_flag_and_a_dry_run_shows_its_place():
    platform = Emr(job(), EmrSettings())
    assert "${SUBNET_IDS}" in platform.command_line()
    with pytest.raises(SettingsError, match="expected --subnet, found nothing"):
        platform.start()
    with pytest.raises(SettingsError, match="expected --execution-role-arn, found nothing"):
        EmrServerless(job(), EmrServerlessSettings()).start()


def test_tags_are_the_users_beside_ours():
    tagged = dataclasses.replace(job(), tags={"project": "fruits", "team": "orchard"})
    found = {tag["Key"]: tag["Value"] for tag in cluster_request(tagged, SUBNETS)["Tags"]}
    assert found["team"] == "orchard"
    assert found["job"] == tagged.job_id
    with pytest.raises(SettingsError, match="--tag: expected names of your own, found job"):
        cluster_request(dataclasses.replace(job(), tags={"job": "mine"}), SUBNETS)


def test_a_cluster_that_does_not_start_is_a_failure_with_its_reason():
    with transient() as cloud:
        started = cloud.platform().start()
        cloud.move(started.id, Phase.CANCELLED)
        (cluster,) = _clusters().values()
        cluster.state, cluster.last_state_change_reason = "TERMINATED_WITH_ERRORS", "no subnet has room"
        state = cloud.platform().state(started.id)
    assert state.phase is Phase.FAILED
    assert state.detail.endswith("is terminated_with_errors: no subnet has room")


def test_on_a_shared_cluster_the_job_ends_with_its_step_and_the_logs_are_the_clusters():
    with shared() as cloud:
        platform = cloud.platform()
        started = platform.start()
        cluster, step = started.id.split("/")
        platform.cancel(started.id)
        killing = cloud.sent()[-1].body["Steps"][0]["HadoopJarStep"]["Args"][-1]
        assert f'"{job().job_id}"' in killing
        assert "yarn application -kill" in killing
        assert platform.logs(started.id).startswith(f"s3://bucket/cluster-logs/{cluster}/steps/{step}/")
        assert _clusters()[cluster].state != "TERMINATED"


def test_the_same_application_takes_the_next_run():
    with opened() as cloud:
        first = cloud.platform().start()
        cloud.move(first.id, Phase.SUCCEEDED)
        cloud.platform().start()
        made = [request.operation for request in cloud.sent()]
        tokens = [request.body["clientToken"] for request in cloud.sent() if request.operation.endswith("StartJobRun")]
    assert made.count("emr-serverless.CreateApplication") == 1
    assert len(set(tokens)) == 2


def test_an_application_that_was_deleted_and_one_of_another_name_are_made_by_tokens_of_their_own():
    with opened() as cloud:
        cloud.move(cloud.platform().start().id, Phase.SUCCEEDED)
        for application in emrserverless_backends["123456789012"]["eu-west-1"].applications.values():
            application.state = "TERMINATED"
        cloud.platform().start()
        cloud._settings = cloud._settings.model_copy(update={"application_name": "x" * 64})
        cloud.platform().start()
        made = [request for request in cloud.sent() if request.operation.endswith("CreateApplication")]
        tokens = {request.body["clientToken"] for request in made}
    assert len(tokens) == 3
    assert max(map(len, tokens)) <= 64


def test_an_application_takes_runs_only_once_it_is_made(monkeypatch):
    with opened() as cloud:
        platform, pauses = cloud.platform(), []
        applications = emrserverless_backends["123456789012"]["eu-west-1"].applications

        def sleep(pause_s):
            pauses.append(pause_s)
            if len(pauses) == 3:
                next(iter(applications.values())).state = "CREATED"

        monkeypatch.setattr("moto.emrserverless.models.APPLICATION_STATUS", "CREATING")
        monkeypatch.setattr(platform, "_sleep", sleep)
        platform.start()
    assert pauses == [2.0] * 3


def test_an_application_that_is_never_made_is_given_up(monkeypatch):
    with opened() as cloud:
        monkeypatch.setattr("moto.emrserverless.models.APPLICATION_STATUS", "CREATING")
        platform = cloud.platform()
        monkeypatch.setattr(platform, "_sleep", lambda _: None)
        with pytest.raises(SubmissionError, match="to be ready within 120 s, found it CREATING"):
            platform.start()


@pytest.mark.parametrize(
    ("cores", "memory_mib", "worker"),
    [
        (4, 5 * 1024, (4, 8)),
        (4, 8 * 1024 + 1, (4, 9)),
        (8, 21 * 1024, (8, 24)),
        (6, 16 * 1024, (8, 16)),
        (4, 31 * 1024, (8, 32)),
    ],
)
def test_sizes_become_the_smallest_worker_that_holds_them(cores, memory_mib, worker):
    cut = dataclasses.replace(
        job().sizes, executor_cores=cores, executor_memory_mib=memory_mib - 1024, executor_overhead_mib=1024
    )
    found = rounded_sizes(cut)
    assert found.executor_overhead_mib == 1024
    assert (found.executor_cores, (found.executor_memory_mib + 1024) / 1024) == worker


def test_a_size_that_no_worker_has_is_refused():
    with pytest.raises(SettingsError, match="expected at most 16 cores and 120 GB for the executor"):
        rounded_sizes(dataclasses.replace(job().sizes, executor_memory_mib=130 * 1024))


def test_serverless_has_no_yarn():
    said = job_request(job(), EmrServerlessSettings(execution_role_arn=ROLE), "t")["jobDriver"]["sparkSubmit"]
    assert "spark.yarn." not in said["sparkSubmitParameters"]
    assert said["sparkSubmitParameters"].count("spark.executorEnv.PYSPARK_PYTHON=") == 1


def test_all_pages_of_a_list_are_read(monkeypatch):
    pages = {None: {"Steps": [1, 2], "Marker": "a"}, "a": {"Steps": [3], "Marker": "b"}, "b": {"Steps": [4]}}
    monkeypatch.setattr(Aws, "call", lambda _, __, body: pages[body.get("Marker")])
    assert list(Aws("emr", "eu-west-1", None).list_all("ListSteps", "Steps", {"ClusterId": "j-1"}, "Marker")) == [
        1,
        2,
        3,
        4,
    ]


def test_without_credentials_the_message_says_what_to_set(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(
        SubmissionError, match=r"emr in eu-west-1 to answer ListClusters, found NoCredentials.*AWS_PROFILE"
    ):
        Emr(job(), SUBNETS).start()
