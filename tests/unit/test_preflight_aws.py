"""The preflight on AWS, by the command as people type it; the account is moto."""

import json
import time
from importlib.metadata import version
from unittest import mock

import boto3
import pytest

from clouds.aws_account import REGION, bucket, empty_account, profile, recorded, role, subnets
from fruits_pipeline.cli import main
from schemas.account import deploy, properties

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


def test_every_fault_on_emr_is_told_at_once_with_its_remedy_and_nothing_is_made(capsys, golden, tmp_path):
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
    golden("preflight_emr", told.out, folder=tmp_path)
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


SERVERLESS_OWN = ["submit", "emr-serverless", *ADDRESSES, "--execution-role-arn", RUN_ROLE]


@pytest.fixture
def uploaded(tmp_path):
    """Puts a bundle for EMR into ``dist``, and its files into the bucket ``results``, which is made."""

    def upload():
        names = ("jobs/run.py", "environment.tar.gz", "models.tar.gz")
        files = {name: {"sha256": f"{number}" * 64, "bytes": 1} for number, name in enumerate(names)}
        index = {"version": version("fruits-pipeline"), "target": "emr-7.14", "arch": "x86_64", "files": files}
        folder = tmp_path / "dist" / "emr-7.14-x86_64"
        folder.mkdir(parents=True)
        (folder / "index.json").write_text(json.dumps(index | {"models": ["mobilenetv2-224-f32"]}))
        (folder / "uploaded.json").write_text('{"base": "s3://results/packages"}')
        client = bucket("results")
        for number, name in enumerate(names):
            key = f"packages/{number}{number}{number}{number}" + f"{number}" * 12 + "/" + name.rpartition("/")[2]
            client.put_object(Bucket="results", Key=key, Body=b"-")
        return client

    return upload


@pytest.fixture
def whole(uploaded):
    """Everything that a submission needs; gives the S3 client."""

    def make(account):
        client = uploaded()
        bucket("photos")
        role("fruits-pipeline-emr", "elasticmapreduce.amazonaws.com")
        role("fruits-pipeline-run", "emr-serverless.amazonaws.com")
        role("fruits-pipeline-nodes", "ec2.amazonaws.com")
        profile("fruits-pipeline-nodes", "fruits-pipeline-nodes")
        account.quotas = {ON_DEMAND: 8, SPOT: 12, SERVERLESS: 16}
        return client

    return make


def verdicts(text):
    return {line.partition(": ")[0] for line in text.splitlines()}


def test_where_nothing_is_missing_the_cluster_is_made(capsys, whole):
    with empty_account() as account:
        whole(account)
        asked = ["submit", "emr", *ADDRESSES, "--subnet", ",".join(subnets())]
        with recorded(account):
            assert main([*asked, "--check"]) == 0
            assert verdicts(capsys.readouterr().out) == {"ok"}
            assert account.made == []
            assert main(asked) == 0
        assert account.made == ["RunJobFlow"]
        assert account.faults == []


# Actions that are named otherwise than the calls that need them; None where none is needed.
_ACTIONS = {
    ("sts", "GetCallerIdentity"): None,
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3", "HeadObject"): "s3:GetObject",
}
_PREFIXES = {"emr": "elasticmapreduce", "service-quotas": "servicequotas"}


def test_who_submits_may_make_every_call_of_the_preflight(whole):
    with empty_account() as account:
        whole(account)
        account.defaults[SPOT] = account.quotas.pop(SPOT)
        asked = [["submit", "emr", *ADDRESSES, "--subnet", ",".join(subnets())], SERVERLESS_OWN]
        with recorded(account):
            assert [main([*words, "--check"]) for words in asked] == [0, 0]
    policy = properties(Bucket="results")["SubmitterPolicy"]["PolicyDocument"]
    granted = {action for part in policy["Statement"] for action in [*as_list(part["Action"]), None]}
    wanted = {_ACTIONS.get(call, f"{_PREFIXES.get(call[0], call[0])}:{call[1]}") for call in account.called}
    assert wanted - granted == set()
    assert {"servicequotas:GetAWSDefaultServiceQuota", "iam:SimulatePrincipalPolicy", "ec2:DescribeSubnets"} <= wanted


def as_list(value):
    return [value] if isinstance(value, str) else value


def test_the_account_that_the_stack_makes_has_all_that_is_needed(capsys, uploaded):
    with empty_account() as account:
        uploaded()
        bucket("photos")
        deploy(Bucket="results", NewBucket="no")
        account.quotas = {ON_DEMAND: 8, SPOT: 12, SERVERLESS: 16}
        with recorded(account):
            asked = ["submit", "emr", *ADDRESSES, "--subnet", ",".join(subnets()), "--check"]
            assert [main(asked), main([*SERVERLESS_OWN, "--check"])] == [0, 0]
    assert verdicts(capsys.readouterr().out) == {"ok"}


def test_on_emr_serverless_too(capsys, whole):
    with empty_account() as account:
        whole(account)
        with recorded(account):
            assert main([*SERVERLESS_OWN, "--check"]) == 0
        assert verdicts(capsys.readouterr().out) == {"ok"}
        assert account.made == []


def test_every_fault_on_emr_serverless_is_told_at_once(capsys):
    with empty_account() as account:
        bucket("photos")
        role("fruits-pipeline-run", "ec2.amazonaws.com")
        account.quotas, account.may_pass = {SERVERLESS: 8}, False
        with recorded(account):
            assert main(SERVERLESS_OWN) == 6
        told = capsys.readouterr().err.replace("\n  ", "\n")
    assert account.made == []
    expected = ["bucket results", "package", "quota of vCPUs of EMR Serverless", "role fruits-pipeline-run"]
    assert faults(told) == expected
    assert "--service-code emr-serverless --quota-code L-D05C8A75 --desired-value 16" in told


def test_calls_that_are_not_allowed_are_told_and_keep_nobody_from_submitting(capsys, whole):
    with empty_account() as account:
        whole(account)
        account.denied = {
            *("GetRole", "GetInstanceProfile", "GetServiceQuota", "ListReleaseLabels", "DescribeSubnets"),
            *("DescribeInstanceTypeOfferings", "HeadBucket"),
        }
        asked = ["submit", "emr", *ADDRESSES, "--subnet", ",".join(subnets())]
        with recorded(account):
            assert main([*asked, "--check"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "not known: bucket results: in eu-west-1; who submits may not look into it: is it yours?" in told
    assert "not known: release: who submits is not allowed to call emr:ListReleaseLabels" in told
    assert sum(line.startswith("not known: ") for line in told) == 9


def test_a_simulation_that_is_not_allowed_is_no_fault_of_the_role(capsys, whole):
    with empty_account() as account:
        whole(account)
        account.denied = {"SimulatePrincipalPolicy"}
        with recorded(account):
            assert main([*SERVERLESS_OWN, "--check"]) == 0
    line = lines(capsys.readouterr().out)["role fruits-pipeline-run"]
    assert line == "not known: role fruits-pipeline-run: who submits is not allowed to call iam:SimulatePrincipalPolicy"


def test_a_right_that_depends_on_what_a_simulation_lacks_is_not_known(capsys, whole):
    """Such as multi-factor authentication: a denial there is none of the true call."""
    with empty_account() as account:
        whole(account)
        denied = {"EvalDecision": "implicitDeny", "MissingContextValues": ["aws:MultiFactorAuthPresent"]}
        account.instead["SimulatePrincipalPolicy"] = {"EvaluationResults": [denied]}
        with recorded(account):
            assert main([*SERVERLESS_OWN, "--check"]) == 0
    assert "does not know aws:MultiFactorAuthPresent" in lines(capsys.readouterr().out)["role fruits-pipeline-run"]


def test_roles_may_be_named_by_their_arns_and_an_unknown_size_is_not_known(capsys, whole):
    with empty_account() as account:
        whole(account)
        own = ["--service-role", "arn:aws:iam::123456789012:role/fruits-pipeline-emr", "--primary-type", "t3.xlarge"]
        asked = ["submit", "emr", *ADDRESSES, "--subnet", subnets()[0], *own]
        with recorded(account):
            assert main([*asked, "--check"]) == 0
    told = lines(capsys.readouterr().out)
    assert told["role fruits-pipeline-emr"].startswith("ok")
    assert told["quota of vCPUs of on-demand machines (EC2)"].startswith("not known")


def test_a_session_has_the_rights_of_its_role(whole):
    """SimulatePrincipalPolicy takes no session, and a role's ARN has a path that a session's has not."""
    with empty_account() as account:
        whole(account)
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        boto3.client("iam").create_role(RoleName="team", Path="/sso/", AssumeRolePolicyDocument=trust)
        account.instead["GetCallerIdentity"] = {"Account": "1", "Arn": "arn:aws:sts::1:assumed-role/team/me"}
        with recorded(account):
            assert main([*SERVERLESS_OWN, "--check"]) == 0
    assert account.simulated == {"arn:aws:iam::123456789012:role/sso/team"}


def test_fewer_vcpus_than_at_most_are_a_warning_where_the_cluster_starts_smaller(capsys, whole):
    with empty_account() as account:
        whole(account)
        account.quotas |= {SPOT: 5}
        asked = ["submit", "emr", *ADDRESSES, "--subnet", subnets()[0]]
        with recorded(account):
            assert main([*asked, "--check"]) == 0
    line = lines(capsys.readouterr().out)["quota of vCPUs of Spot machines (EC2)"]
    assert line.startswith("warning: quota of vCPUs of Spot machines (EC2): up to 12 are asked for, 5 allowed")


@pytest.mark.parametrize(
    ("on_demand", "told"),
    [(12, "warning: {}: expected at least 4, found 0, "), (11, "fault: {}: expected at least 4, ")],
)
def test_a_spot_quota_that_is_too_small_is_no_fault_where_on_demand_machines_may_take_its_place(
    capsys, whole, on_demand, told
):
    with empty_account() as account:
        whole(account)
        account.quotas |= {SPOT: 0, ON_DEMAND: on_demand}
        asked = ["submit", "emr", *ADDRESSES, "--subnet", subnets()[0], "--check"]
        with recorded(account):
            assert main(asked) == (0 if on_demand == 12 else 6)
    check = "quota of vCPUs of Spot machines (EC2)"
    assert lines(capsys.readouterr().out)[check].startswith(told.format(check))


def test_where_only_the_default_of_a_quota_holds_that_is_asked_for(capsys, whole):
    with empty_account() as account:
        whole(account)
        account.quotas, account.defaults = {}, {SERVERLESS: 8}
        with recorded(account):
            assert main([*SERVERLESS_OWN, "--check"]) == 6
        told = lines(capsys.readouterr().out)["quota of vCPUs of EMR Serverless"]
        assert told.startswith("fault: quota of vCPUs of EMR Serverless: expected at least 16, found 8; ")
        account.defaults = {}
        with recorded(account):
            assert main([*SERVERLESS_OWN, "--check"]) == 0
    assert lines(capsys.readouterr().out)["quota of vCPUs of EMR Serverless"].startswith("not known")


def test_without_credentials_nothing_else_is_asked(capsys, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert main([*SERVERLESS_OWN, "--check"]) == 6
    told = capsys.readouterr().out
    assert faults(told) == ["credentials", "package"]
    assert "AWS_PROFILE" in lines(told)["credentials"]
    assert all("before the fault of credentials is mended" in line for line in told.splitlines()[2:])


def test_a_job_at_work_on_the_output_is_a_fault(capsys, whole):
    with empty_account() as account:
        client = whole(account)
        note = {"owner": "host=elsewhere", "place": "there", "pid": 1, "token": "t"}

        def beat(_seconds=0.0):
            note["beat"] = note.get("beat", 0) + 1
            client.put_object(Bucket="results", Key="fruits/_state/lease", Body=json.dumps(note).encode())

        beat()
        with recorded(account):
            # Pauses take no time here: nobody renews the lease meanwhile.
            assert main([*SERVERLESS_OWN, "--check"]) == 0
            capsys.readouterr()
            with mock.patch.object(time, "sleep", beat):
                assert main([*SERVERLESS_OWN, "--check"]) == 6
    assert "found another job: host=elsewhere; wait for it" in lines(capsys.readouterr().out)["output"]


def test_an_output_with_other_settings_is_a_fault_before_any_cluster_starts(capsys, whole):
    with empty_account() as account:
        client = whole(account)
        plan = {"version": 4, "settings": {"data_source": "s3://others"}, "source_root": "s3://others"}
        former = json.dumps(plan | {"version": 3}).encode()
        client.put_object(Bucket="results", Key="fruits/_state/snapshot.json", Body=former)
        with recorded(account):
            assert main([*SERVERLESS_OWN, "--check"]) == 6
        assert "found one of version 3" in lines(capsys.readouterr().out)["output"]


def test_a_bundle_that_was_deleted_from_its_bucket_is_a_fault(capsys, whole):
    with empty_account() as account:
        client = whole(account)
        client.delete_object(Bucket="results", Key=f"packages/{'1' * 16}/environment.tar.gz")
        with recorded(account):
            assert main([*SERVERLESS_OWN, "--check"]) == 6
    line = lines(capsys.readouterr().out)["package"]
    assert line.endswith("environment.tar.gz, found none; upload it once more by fruits-pipeline bundle --upload")


@pytest.mark.parametrize(
    ("release", "ends", "told"),
    [
        ("emr-7.14.0", False, "ok: "),
        ("emr-7.14.1", False, "ok: "),
        ("emr-7.13.0", False, "fault: cluster {}: expected release emr-7.14.0, found emr-7.13.0; give the --target"),
        (
            "emr-7.14.0",
            True,
            "fault: cluster {}: expected it to be running, found it terminated; give the --cluster-id",
        ),
    ],
)
def test_a_running_cluster_is_looked_at_instead_of_quotas(capsys, whole, release, ends, told):
    with empty_account() as account:
        whole(account)
        account.quotas = {}
        client = boto3.client("emr", region_name=REGION)
        instances = {"KeepJobFlowAliveWhenNoSteps": True, "InstanceCount": 1, "MasterInstanceType": "m6i.xlarge"}
        made = client.run_job_flow(Name="ours", Instances=instances, ReleaseLabel=release)["JobFlowId"]
        if ends:
            client.terminate_job_flows(JobFlowIds=[made])
        with recorded(account):
            assert main(["submit", "emr", *ADDRESSES, "--cluster-id", made, "--check"]) == (0 if told == "ok: " else 6)
    found = lines(capsys.readouterr().out)
    assert found[f"cluster {made}"].startswith(told.format(made))
    assert not any("quota" in check for check in found)


def test_a_cluster_that_there_is_not_is_a_fault(capsys, whole):
    with empty_account() as account:
        whole(account)
        account.codes = {"DescribeCluster": "InvalidRequestException"}
        with recorded(account):
            assert main(["submit", "emr", *ADDRESSES, "--cluster-id", "j-NONE", "--check"]) == 6
    assert "expected it in eu-west-1, found none; " in lines(capsys.readouterr().out)["cluster j-NONE"]


@pytest.mark.parametrize(
    ("made", "own", "told"),
    [
        ({}, [], "ok: application: "),
        ({"maximumCapacity": {"cpu": "8 vCPU", "memory": "99 GB"}}, [], "warning: application: "),
        ({}, ["--subnet", "subnet-1"], "fault: application: expected application "),
    ],
)
def test_an_application_that_is_there_already_is_looked_at(capsys, whole, made, own, told):
    with empty_account() as account:
        whole(account)
        name = "fruits-pipeline-emr-7.14.0-x86_64"
        client = boto3.client("emr-serverless", region_name=REGION)
        client.create_application(name=name, releaseLabel="emr-7.14.0", type="SPARK", clientToken="t", **made)
        account.called.clear()
        with recorded(account):
            main([*SERVERLESS_OWN, *own, "--check"])
        assert account.made == []
    found = lines(capsys.readouterr().out)
    assert found["application"].startswith(told)
    assert ("subnets" in found) == bool(own)


def test_the_first_job_makes_the_application(capsys, whole):
    with empty_account() as account:
        whole(account)
        with recorded(account):
            assert main([*SERVERLESS_OWN, "--check"]) == 0
    assert lines(capsys.readouterr().out)["application"] == "ok: application: none yet, and made by the first job"
