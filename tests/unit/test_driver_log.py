"""The driver's last lines beside the failure of a job that is followed."""

import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from test_submission import COMMAND, WAITING, Quick, into

from clouds.adapter import platforms
from clouds.aws import job
from fruits_pipeline.errors import JobError, StorageError, SubmissionError
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.settings.google import GoogleSettings
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.submit import google_logs, google_rest
from fruits_pipeline.submit.driver_log import LINES, gzip_tail, with_driver_log
from fruits_pipeline.submit.emr import Emr
from fruits_pipeline.submit.emr_serverless import EmrServerless
from fruits_pipeline.submit.google import Google
from fruits_pipeline.submit.platform import Phase, Started, State
from fruits_pipeline.submit.submission import submit_job
from schemas.google_rest import called

TEXT = b"first\n\n" + b"\n".join(b"line %d" % n for n in range(100)) + b"\nerror: expected images, found none\n"


def written(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text))


def below(folder):
    """Opens what stands for the bucket of an address."""
    return lambda address: open_store(str(folder / address.removeprefix("s3://")))


@pytest.mark.parametrize(
    "content",
    [gzip.compress(TEXT), gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:]), gzip.compress(TEXT)[:-9]],
    ids=["whole", "two members", "still written"],
)
def test_the_last_lines_of_a_compressed_log(tmp_path, content):
    (tmp_path / "stderr.gz").write_bytes(content)
    lines = gzip_tail(open_store(str(tmp_path)), "stderr.gz")
    assert lines[-1] == "error: expected images, found none"
    assert lines[0] == "line 76"
    assert len(lines) == LINES


def test_a_log_that_is_not_there_has_no_lines(tmp_path):
    assert gzip_tail(open_store(str(tmp_path)), "stderr.gz") == []


def test_a_log_that_is_too_large_is_named_and_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("fruits_pipeline.submit.driver_log._MOST", 10)
    written(tmp_path / "stderr.gz", TEXT)
    (told,) = gzip_tail(open_store(str(tmp_path)), "stderr.gz")
    assert told.startswith("the log has ")
    assert told.endswith("/stderr.gz")


def test_a_log_of_many_zeros_is_inflated_piece_by_piece(tmp_path):
    written(tmp_path / "stderr.gz", b"\n" * (64 << 20) + TEXT)
    assert gzip_tail(open_store(str(tmp_path)), "stderr.gz")[-1] == "error: expected images, found none"


def test_on_emr_serverless_the_driver_has_a_folder(tmp_path):
    platform = EmrServerless(job(), EmrServerlessSettings(), profile="my own")
    written(tmp_path / "bucket/logs/applications/00a/jobs/00r/SPARK_DRIVER/stderr.gz", TEXT)
    assert platform.driver_log("00a/00r", below(tmp_path))[-1].startswith("error: expected images")
    assert platform.page("00a/00r") == (
        "aws emr-serverless get-dashboard-for-job-run --region eu-west-1 --application-id 00a --job-run-id 00r "
        "--query url --output text --profile 'my own'"
    )


def test_on_emr_the_driver_is_the_first_container_of_the_last_attempt(tmp_path):
    platform = Emr(job(), EmrSettings(subnet=("subnet-1",)))
    logs = tmp_path / "bucket/logs/j-1"
    written(logs / "steps/s-1/stderr.gz", b"Submitted application application_17_0002\nFinal status: FAILED\n")
    assert platform.driver_log("j-1/s-1", below(tmp_path))[-1] == "Final status: FAILED"
    of_job = logs / "containers/application_17_0002"
    for container in ("container_17_0002_01_000001", "container_17_0002_01_000002"):
        written(of_job / container / "stderr.gz", b"of " + container.encode())
    written(logs / "containers/application_17_0001/container_17_0001_01_000001/stderr.gz", b"of another job")
    assert platform.driver_log("j-1/s-1", below(tmp_path)) == ["of container_17_0002_01_000001"]


@contextmanager
def cloud_logging(monkeypatch, status, answer):
    """A server in the place of Cloud Logging; gives the requests that it got."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert called("logging", "POST", self.path, {}, body).id == "logging.entries.list"
            asked.append(body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setitem(google_rest.ROOTS, "logging", f"http://127.0.0.1:{server.server_port}/v2")
    monkeypatch.setattr(google.auth, "default", lambda **_: (AnonymousCredentials(), "p"))
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()


def test_cloud_logging_gives_the_latest_entries_first_and_they_are_told_in_order(monkeypatch):
    entries = [{"jsonPayload": {"message": "error: the last"}}, {"textPayload": "before"}, {"protoPayload": {}}]
    with cloud_logging(monkeypatch, 200, {"entries": entries}) as asked:
        found = google_logs.driver_lines(Google(GoogleSettings(gcp_project="p"), "europe-west1"), "europe-west1", "a=b")
    assert found == ["before", "error: the last"]
    (body,) = asked
    assert body == {"resourceNames": ["projects/p"], "filter": "a=b", "orderBy": "timestamp desc", "pageSize": LINES}


def test_a_refusal_of_cloud_logging_is_told(monkeypatch):
    refusal = {"error": {"code": 403, "message": "Permission denied for all log views", "status": "PERMISSION_DENIED"}}
    with (
        cloud_logging(monkeypatch, 403, refusal),
        pytest.raises(SubmissionError, match="found 403: Permission denied for all log views; grant the submitter"),
    ):
        google_logs.driver_lines(Google(GoogleSettings(gcp_project="p"), "europe-west1"), "europe-west1", "a=b")


@pytest.mark.parametrize("name", [name for name in sorted(platforms()) if name.startswith("dataproc")])
def test_google_s_platforms_ask_for_the_drivers_lines_and_have_a_page(monkeypatch, name):
    with cloud_logging(monkeypatch, 200, {}) as asked, platforms()[name]() as cloud:
        platform = cloud.platform()
        started = platform.start().id
        assert platform.driver_log(started, open_store) == []
        assert platform.page(started).startswith("https://console.cloud.google.com/dataproc/")
        assert started.rpartition("/")[2] in platform.page(started)
    driver = 'NOT jsonPayload.component="executor"' if "serverless" in name else 'jsonPayload.container=~"_000001$"'
    assert driver in asked[0]["filter"]


class Failing(Quick):
    """A platform whose job fails, and has a log that can be read or not."""

    def __init__(self, lines):
        super().__init__(lambda: None)
        self.lines = lines

    def state(self, _started):
        return State(Phase.FAILED, "out of memory")

    def driver_log(self, _started, _opened):
        if isinstance(self.lines, Exception):
            raise self.lines
        return self.lines


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["one", "error: two"], "  | one\n  | error: two\n  page: nowhere"),
        ([], "  | nothing yet: logs may come minutes after the end\n  page: nowhere"),
        (StorageError("expected a key"), "  | not read: expected a key"),
    ],
)
def test_a_failure_has_the_last_lines_and_they_hide_nothing_of_it(tmp_path, lines, told):
    with pytest.raises(JobError, match="out of memory") as failed:
        submit_job(Failing(lines), into(tmp_path), WAITING, COMMAND)
    assert str(failed.value).endswith(f"last lines of the driver's log:\n{told}")
    assert failed.value.exit_code == 7


def test_who_has_cancelled_a_job_is_not_told_its_log(tmp_path):
    platform = Failing(["one"])
    platform.state = lambda _started: State(Phase.CANCELLED, "by somebody")
    with pytest.raises(JobError) as failed:
        submit_job(platform, into(tmp_path), WAITING, COMMAND)
    assert "log:" not in str(failed.value)


def test_a_failure_keeps_its_code():
    error = with_driver_log(JobError("too many rejects", 3), Failing(["one"]), Started("j").id, open_store)
    assert error.exit_code == 3
