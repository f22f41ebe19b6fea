import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clouds.aws import job
from fruits_pipeline.errors import DatasetError, SettingsError, SubmissionError
from fruits_pipeline.settings.commands import RunCommand
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.submit.platform import Phase, Started, State
from fruits_pipeline.submit.preflight.check import Check
from fruits_pipeline.submit.preflight.finding import fault, ok, unknown, warning
from fruits_pipeline.submit.submission import _gone_s, estimate_and_submit, submit_job

WAITING = SubmitSettings(wait=True)
COMMAND = RunCommand.model_validate(
    {"output": {"output_uri": "s3://bucket/results"}, "ingest": {"data_source": "s3://bucket/fruits"}}
)
FAULTS = [fault("roles", "expected one, found none", "make it"), fault("quota", "expected 8, found 5", "ask for more")]


class Quick:
    """A platform whose job ends as soon as it is started; ``at_start`` is called by then."""

    name = "quick"

    def __init__(self, at_start, found=(), running=None):
        self.at_start = at_start
        self.found = found
        self.running = running
        self.starts = 0

    def checks(self, _command):
        return [Check("all", lambda: self.found)]

    def active(self):
        return self.running

    def start(self):
        self.starts += 1
        self.at_start()
        return Started("j")

    def state(self, _started):
        return State(Phase.SUCCEEDED)

    def logs(self, _started):
        return "nowhere"

    def page(self, _started):
        return "nowhere"


def into(folder):
    return replace(job(), output_uri=str(folder))


def test_a_job_that_ends_before_it_is_followed_has_its_own_record(tmp_path):
    record = {"fruits_pipeline": "0", "exit_code": 0, "started": "2026-02-01T00:00:00+00:00"}
    platform = Quick(lambda: (tmp_path / "run.json").write_text(json.dumps(record)))
    assert submit_job(platform, into(tmp_path), WAITING, COMMAND) == record


def test_a_reader_that_has_seen_enough_is_no_fault():
    """``submit ... --dry-run | head -n 1``."""
    words = ["submit", "emr", "--data-source", "s3://b/in", "--output-uri", "s3://b/out", "--subnet", "subnet-1"]
    with subprocess.Popen(
        [sys.executable, "-m", "fruits_pipeline", *words, "--dry-run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        told = process.stderr.read().decode()
        assert process.wait(timeout=60) == 0, told
    assert "Broken" not in told


@pytest.mark.parametrize("content", ["", "[]", "{}", "\x00"])
def test_nothing_is_started_where_run_json_is_not_ours(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    platform = Quick(lambda: None)
    with pytest.raises(DatasetError, match=r"run\.json to be absent or written by"):
        submit_job(platform, into(tmp_path), WAITING, COMMAND)
    assert platform.starts == 0


@pytest.mark.parametrize(("package", "extra"), [("boto3", "s3"), ("google.cloud.dataproc_v1", "dataproc")])
def test_a_client_that_is_not_installed_is_told(tmp_path, package, extra):
    def missing():
        raise ModuleNotFoundError(name=package)

    with pytest.raises(SettingsError, match=rf"{package}, found none; pip install 'fruits-pipeline\[{extra}\]'"):
        submit_job(Quick(missing), into(tmp_path), SubmitSettings(), COMMAND)


def test_a_fault_of_the_preflight_keeps_the_job_from_being_started(tmp_path):
    platform = Quick(lambda: None, [ok("release", "offered"), *FAULTS])
    with pytest.raises(SubmissionError, match=r"found 2.*\n.*roles.*make it\n.*quota.*ask for more"):
        submit_job(platform, into(tmp_path), SubmitSettings(), COMMAND)
    assert platform.starts == 0


def test_warnings_are_logged_and_the_job_is_started(tmp_path, caplog):
    found = [warning("quota", "up to 8 are asked for, 5 allowed", "ask for more"), unknown("roles", "not allowed")]
    platform = Quick(lambda: None, found)
    submit_job(platform, into(tmp_path), SubmitSettings(), COMMAND)
    assert platform.starts == 1
    assert "warning: quota: up to 8" in caplog.text
    assert "not known: roles" in caplog.text


def test_faults_are_logged_and_the_job_is_started_where_somebody_knows_better(tmp_path, caplog):
    platform = Quick(lambda: None, FAULTS)
    submit_job(platform, into(tmp_path), SubmitSettings(despite_faults=True), COMMAND)
    assert platform.starts == 1
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert told == [f"preflight: {finding}" for finding in FAULTS]


def test_an_equal_job_that_runs_is_followed_whatever_the_preflight_says(tmp_path):
    """It holds the output's lease, and what is left of a quota."""
    platform = Quick(lambda: None, FAULTS, running="j")
    submit_job(platform, into(tmp_path), SubmitSettings(), COMMAND)
    assert platform.starts == 1


@pytest.mark.parametrize(("found", "code"), [([ok("release", "offered")], 0), (FAULTS, 6)])
def test_a_check_alone_prints_everything_and_starts_nothing(tmp_path, capsys, found, code):
    platform = Quick(lambda: None, found, running="j")
    if code:
        with pytest.raises(SubmissionError):
            submit_job(platform, into(tmp_path), SubmitSettings(check=True), COMMAND)
    else:
        assert submit_job(platform, into(tmp_path), SubmitSettings(check=True), COMMAND) is None
    assert capsys.readouterr().out.splitlines() == [str(finding) for finding in found]
    assert platform.starts == 0


def test_what_a_job_that_is_found_at_work_has_spent_already_counts():
    began = datetime.now(UTC) - timedelta(hours=1)
    assert 3600 <= _gone_s({"started": began.isoformat(), "exit_code": None}) < 4500
    assert _gone_s({"started": began.isoformat(), "exit_code": 0}) == 0
    assert _gone_s(None) == 0


def test_a_check_that_asks_nobody_is_refused():
    with pytest.raises(SettingsError, match="expected --check or --dry-run, found both"):
        estimate_and_submit(lambda _: Quick(lambda: None), job(), SubmitSettings(check=True, dry_run=True), COMMAND)
