"""How long a job may last on EMR and EMR Serverless."""

import subprocess
from contextlib import nullcontext

import pytest
from pydantic import ValidationError

from clouds.aws import job
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.submit.emr_requests import steps


@pytest.mark.parametrize(("minutes", "taken"), [(5, True), (10_080, True), (10_081, False), (0, False)])
def test_a_run_may_last_as_long_as_emr_serverless_takes(minutes, taken):
    with nullcontext() if taken else pytest.raises(ValidationError):
        EmrServerlessSettings(execution_timeout_minutes=minutes)


def test_a_cluster_of_its_own_ends_the_job_at_its_longest_run(tmp_path):
    """Without --wait nobody else would: EMR's idle limit does not count while a step runs."""
    (step,) = steps(job(), EmrSettings(subnet=("subnet-1",), longest_run_s=7200))
    assert step["Args"][:3] == ["timeout", "7200", "spark-submit"]
    assert step["ActionOnFailure"] == "TERMINATE_CLUSTER"
    started = tmp_path / "spark-submit"
    started.write_text("#!/bin/sh\nexec sleep 60\n")
    started.chmod(0o755)
    words = [step["Args"][0], "0.2", *step["Args"][2:]]
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert subprocess.run(words, env=path, timeout=20, check=False).returncode == 124
    (step,) = steps(job(), EmrSettings(cluster_id="j-ABC"))
    assert step["Args"][0] == "spark-submit"
