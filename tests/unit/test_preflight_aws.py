"""The preflight on AWS, by the command as people type it; the account is moto."""

import pytest

from clouds.aws_account import bucket, empty_account, profile, recorded, role
from fruits_pipeline.cli import main

ON_DEMAND, SPOT, SERVERLESS = "L-1216C47A", "L-34B43A08", "L-D05C8A75"
RUN_ROLE = "arn:aws:iam::123456789012:role/fruits-pipeline-run"
ADDRESSES = ["--data-source", "s3://photos/fruits", "--output-uri", "s3://results/fruits", "--region", "eu-west-1"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """In an empty folder, as somebody with keys."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x" * 20)


def lines(text):
    """Verdict and check of each line, with the whole line."""
    return {line.split(": ")[1]: line for line in text.splitlines()}


def faults(text):
    return sorted(check for check, line in lines(text).items() if line.startswith("fault: "))


def test_every_fault_on_emr_is_told_at_once_with_its_remedy_and_nothing_is_made(capsys):
    with empty_account() as account:
        results = bucket("results", "eu-central-1")
        results.put_object(Bucket="results", Key="fruits/run.json", Body=b"somebody's")
        role("fruits-pipeline-nodes", "lambda.amazonaws.com")
        profile("fruits-pipeline-nodes", "fruits-pipeline-nodes")
        account.quotas, account.may_pass = {ON_DEMAND: 5, SPOT: 0}, False
        account.instead["ListReleaseLabels"] = {"ReleaseLabels": ["emr-7.13.0"]}
        asked = ["submit", "emr", *ADDRESSES, "--subnet", "subnet-1", "--machine-type", "m9i.xlarge"]
        with recorded(account):
            assert main([*asked, "--check"]) == 6
            told = capsys.readouterr()
            assert main(asked) == 6
    assert faults(told.out) == [
        *("bucket photos", "bucket results", "machine types", "output", "package"),
        *("quota of vCPUs of Spot machines (EC2)", "quota of vCPUs of on-demand machines (EC2)", "release"),
        *("role fruits-pipeline-emr", "role fruits-pipeline-nodes", "subnets"),
    ]
    for line in told.out.splitlines():
        assert not line.startswith("fault: ") or "; " in line, line
        assert not line.startswith("fault: ") or line in told.err
    assert account.made == []
    assert account.faults == []
    assert "--quota-code L-1216C47A --desired-value 8" in told.out
    assert faults(capsys.readouterr().err.replace("\n  ", "\n")) == faults(told.out)
