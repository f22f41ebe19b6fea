import json
import subprocess
import sys
from dataclasses import replace

import pytest

from clouds.aws import job
from fruits_pipeline.errors import DatasetError, SettingsError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.submit.platform import Phase, Started, State
from fruits_pipeline.submit.submission import submit_job

WAITING = SubmitSettings(wait=True)


class Quick:
    """A platform whose job ends as soon as it is started; ``at_start`` is called by then."""

    name = "quick"

    def __init__(self, at_start):
        self.at_start = at_start
        self.starts = 0

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
    assert submit_job(platform, into(tmp_path), WAITING, StorageSettings()) == record


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
        submit_job(platform, into(tmp_path), WAITING, StorageSettings())
    assert platform.starts == 0


@pytest.mark.parametrize(("package", "extra"), [("boto3", "s3"), ("google.cloud.dataproc_v1", "dataproc")])
def test_a_client_that_is_not_installed_is_told(tmp_path, package, extra):
    def missing():
        raise ModuleNotFoundError(name=package)

    with pytest.raises(SettingsError, match=rf"{package}, found none; pip install 'fruits-pipeline\[{extra}\]'"):
        submit_job(Quick(missing), into(tmp_path), SubmitSettings(), StorageSettings())
