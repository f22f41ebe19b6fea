"""What is asked wrongly of AWS, or of another account than was meant."""

import dataclasses
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from test_submission import COMMAND

from clouds.aws import job
from clouds.emr_serverless import opened
from fruits_pipeline.errors import SettingsError, StorageError, SubmissionError
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import s3
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.submit.emr import _FLAGS, Emr
from fruits_pipeline.submit.emr_requests import cluster_request
from fruits_pipeline.submit.emr_serverless import EmrServerless
from fruits_pipeline.submit.placeholders import check_filled
from fruits_pipeline.submit.platform import Phase
from fruits_pipeline.submit.preflight.check import findings
from fruits_pipeline.submit.preflight.finding import Verdict

SUBNETS = EmrSettings(subnet=("subnet-1", "subnet-2"))


def test_a_region_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with pytest.raises(SubmissionError, match=r"EndpointConnectionError.*check --region"):
        Emr(job(), SUBNETS).start()


def test_a_name_that_looks_like_a_placeholder_is_none():
    request = cluster_request(dataclasses.replace(job(), arguments=("--data-source", "s3://b/${Z}")), SUBNETS)
    check_filled(request, _FLAGS)
    with pytest.raises(SettingsError, match=r"^expected --subnet, found nothing"):
        check_filled(cluster_request(job(), EmrSettings()), _FLAGS)


@pytest.mark.parametrize(
    "platform",
    [Emr(job(), SUBNETS), Emr(job(), EmrSettings(cluster_id="j-1")), EmrServerless(job(), EmrServerlessSettings())],
)
def test_the_line_takes_the_profile_that_submit_takes(platform):
    other = type(platform)(platform._job, platform._settings, profile="mine")
    expected = [f"{line} --profile mine" for line in platform.command_line().splitlines()]
    assert other.command_line().splitlines() == expected


def test_a_cluster_with_nodes_too_small_for_the_job_is_not_made():
    large = dataclasses.replace(job(), sizes=dataclasses.replace(job().sizes, driver_memory_mib=64 * 1024))
    with pytest.raises(SettingsError, match="--driver-memory"):
        Emr(large, SUBNETS).requests()
    assert Emr(large, EmrSettings(cluster_id="j-1")).requests()


def test_an_application_with_room_for_less_is_told_of():
    with opened() as cloud:
        cloud.move(cloud.platform().start().id, Phase.SUCCEEDED)
        (found,) = cloud.platform()._look_at_application()
        assert found.verdict is Verdict.OK
        platform = cloud.platform()
        platform._job = dataclasses.replace(job(), sizes=dataclasses.replace(job().sizes, executors=99))
        (found,) = platform._look_at_application()
    assert found.verdict is Verdict.WARNING
    assert "{'cpu': '400 vCPU'" in found.facts
    assert "update-application" in found.remedy


@pytest.fixture
def login_page(monkeypatch):
    """A proxy that answers every request by its own page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"<html>Log in</html>")

        do_POST = do_HEAD = do_PUT = do_GET  # noqa: N815 because the base class asks for these names

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for name, value in (("ENDPOINT_URL", url), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(f"AWS_{name}", value)
    s3.client.cache_clear()
    yield url
    s3.client.cache_clear()
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("login_page")
def test_a_proxy_s_page_in_place_of_an_answer_is_no_fault_of_ours():
    settings = EmrServerlessSettings(execution_role_arn="arn:aws:iam::123456789012:role/fruits-pipeline-run")
    found = list(findings(EmrServerless(job(), settings).checks(COMMAND)))
    assert found
    assert [str(finding) for finding in found if finding.verdict is Verdict.OK] == []
    with pytest.raises(SubmissionError, match="a page in place of AWS's answer, as a proxy or a login gives it"):
        Emr(job(), SUBNETS).start()


def test_a_proxy_s_page_in_place_of_an_object_is_a_fault_of_storage(login_page):
    store = open_store("s3://b/x", StorageSettings(s3_endpoint_url=login_page, s3_region="eu-west-1"))
    with pytest.raises(StorageError, match="found one without a date, as a proxy gives it"):
        store.stat("run.json")
