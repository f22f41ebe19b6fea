"""What is done with each answer of Dataproc."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.auth import exceptions as auth_exceptions
from google.longrunning import operations_pb2
from grpc import StatusCode
from pydantic import ValidationError

from clouds.adapter import Fault
from clouds.dataproc import FAULTS, DataprocCloud, opened
from clouds.dataproc_server import ABORTED, Refusal, workflow_of
from clouds.dataproc_server import Fault as ServerFault
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.dataproc import DataprocSettings
from fruits_pipeline.settings.dataproc_serverless import DataprocServerlessSettings
from fruits_pipeline.submit.dataproc import Dataproc
from fruits_pipeline.submit.dataproc_serverless import DataprocServerless
from fruits_pipeline.submit.google import remedy
from fruits_pipeline.submit.platform import Phase


@pytest.fixture(scope="module")
def job():
    return DataprocCloud(SimpleNamespace(clusters=set()), "workflow")._job


def test_a_policy_that_exists_is_brought_up_to_date():
    with opened("workflow") as cloud:
        first = cloud.platform().start()
        cloud.move(first.id, Phase.SUCCEEDED)
        cloud.server.policies["fruits-pipeline-spot-1"].basic_algorithm.cooldown_period = {"seconds": 7}
        cloud.platform().start()
        assert cloud.server.policies["fruits-pipeline-spot-1"].basic_algorithm.cooldown_period.seconds == 120


def test_a_cluster_that_cannot_be_had_fails_the_workflow_in_googles_words():
    with opened("workflow") as cloud:
        started = cloud.platform().start()
        operation = cloud.server.operations[started.id]
        told = "Error submitting create cluster request: Insufficient 'N2_CPUS' quota. Requested 12.0, available 0.0."
        cloud.server.end_workflow(operation, workflow_of(operation), ABORTED, told)
        state = cloud.platform().state(started.id)
        assert (state.phase, state.detail) == (Phase.FAILED, told)


def test_a_failed_step_fails_a_workflow_that_says_nothing_of_it():
    with opened("workflow") as cloud:
        started = cloud.platform().start()
        operation = cloud.server.operations[started.id]
        workflow = workflow_of(operation)
        workflow.graph.nodes[0].state, workflow.graph.nodes[0].error = "FAILED", "exit 1"
        cloud.server.end_workflow(operation, workflow)
        state = cloud.platform().state(started.id)
        assert (state.phase, state.detail) == (Phase.FAILED, "exit 1")


def test_a_workflow_that_google_knows_and_does_not_show_is_told_of():
    with opened("workflow") as cloud:
        cloud.platform().start()
        for operation in cloud.server.operations.values():
            operation.metadata.Clear()
        with pytest.raises(SubmissionError, match=r"found none: .*; start the same command again"):
            cloud.platform().start()


def test_a_workflow_that_has_ended_is_not_followed_though_it_is_listed(monkeypatch):
    with opened("workflow") as cloud:
        first = cloud.platform().start()
        cloud.move(first.id, Phase.SUCCEEDED)
        listed = operations_pb2.ListOperationsResponse(operations=cloud.server.operations.values())
        monkeypatch.setattr(cloud.server, "_list_operations", lambda _: listed)
        assert not cloud.platform().start().attached


@pytest.mark.parametrize("way", ["cluster", "serverless"])
def test_somebody_faster_is_followed(way, monkeypatch):
    with opened(way) as cloud:
        first = cloud.platform().start()
        late = cloud.platform()
        runner = getattr(late, "_way", late)
        answers = iter([None, True])
        monkeypatch.setattr(runner, "_active", lambda _: next(answers))
        assert late.start() == type(first)(first.id, attached=True)


def test_a_cluster_that_is_not_there_is_named():
    with opened("cluster") as cloud:
        cloud.server.clusters.clear()
        with pytest.raises(SubmissionError, match=r"found 404: Not found: Cluster standing; .*--cluster"):
            cloud.platform().start()


@pytest.mark.parametrize(
    ("status", "told", "remedy"),
    [
        (StatusCode.UNAVAILABLE, "Getting metadata from plugin failed with error: Reauthentication is needed", "renew"),
        (
            StatusCode.PERMISSION_DENIED,
            "Dataproc Resource Manager API has not been used in project 1 before or it is disabled",
            "gcloud services enable",
        ),
        (StatusCode.PERMISSION_DENIED, "Permission 'dataproc.jobs.create' denied", "submitter-role.json"),
        (StatusCode.INVALID_ARGUMENT, "Subnetwork 'x' does not support Private Google Access", "correct the setting"),
    ],
)
def test_refusals_get_their_remedy_at_once(status, told, remedy):
    with opened("serverless") as cloud:
        cloud.server.faults.append(ServerFault(Refusal(status, told), 1))
        with pytest.raises(SubmissionError, match=remedy):
            cloud.platform().start()


def test_a_cluster_with_nodes_too_small_for_the_job_is_not_made(job):
    large = replace(job, sizes=replace(job.sizes, driver_memory_mib=64 * 1024))
    with pytest.raises(SettingsError, match="--driver-memory"):
        Dataproc(large, DataprocSettings())
    assert Dataproc(large, DataprocSettings(cluster="standing")).requests()


def test_a_region_that_is_not_there_is_told():
    error = ServiceUnavailable("DNS resolution failed for eu-wst1-dataproc.googleapis.com:443: not found")
    assert remedy(error).startswith("check --region")


def test_an_address_with_a_password_is_refused():
    with pytest.raises(ValidationError, match="expected a URL such as"):
        DataprocServerlessSettings(dataproc_endpoint_url="https://somebody:secret@example.com")


def test_a_busy_service_is_asked_again_with_patience_that_ends():
    with opened("serverless") as cloud:
        fault = ServerFault(Refusal(*FAULTS[Fault.THROTTLED]), 1000)
        cloud.server.faults.append(fault)
        with pytest.raises(SubmissionError, match="start the same command again"):
            cloud.platform().start()
        assert 5 <= 1000 - fault.times <= 100


def test_the_project_is_that_of_the_credentials_where_none_is_named(job, monkeypatch):
    platform = DataprocServerless(job, DataprocServerlessSettings())
    assert "${PROJECT}" in platform.logs("id")
    monkeypatch.setattr("google.auth.default", lambda: (None, "found"))
    assert platform._google.project == "found"
    assert "--project=found" in platform.logs("id")
    monkeypatch.setattr("google.auth.default", lambda: (None, None))
    with pytest.raises(SettingsError, match="--gcp-project"):
        DataprocServerless(job, DataprocServerlessSettings()).start()


def test_no_credentials_are_told_of(job, monkeypatch):
    def none():
        raise auth_exceptions.DefaultCredentialsError("Your default credentials were not found.")

    monkeypatch.setattr("google.auth.default", none)
    with pytest.raises(SubmissionError, match="renew the credentials by gcloud auth application-default login"):
        Dataproc(job, DataprocSettings()).start()
