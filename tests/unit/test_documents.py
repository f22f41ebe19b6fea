"""The lines of README and docs/CLUSTERS.md, pasted into a shell: AWS' on moto, Google's against its schemas."""

import ast
import contextlib
import functools
import io
import json
import os
import re
import shlex
import shutil
from pathlib import Path

import boto3
import jmespath
import pytest
from botocore import xform_name
from moto import mock_aws

from clouds.gcloud import Project
from fruits_pipeline import cli
from fruits_pipeline.clusters.machines import machine
from fruits_pipeline.clusters.sizing import sizes
from fruits_pipeline.settings.submit import SizeSettings
from pasted import blocks, paste
from schemas.account import deploy
from schemas.aws import request_faults
from schemas.aws_tool import UnknownError, line
from schemas.google import check

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
CLUSTERS = (ROOT / "docs" / "CLUSTERS.md").read_text()
REGION = "eu-west-1"
# The cluster that CLUSTERS.md ends, which is there on moto under another id.
A_CLUSTER = "j-0123456789ABC"
SECTIONS = ("Before anything is made", "Nothing left running", "Who submits", "On a schedule", "Deploying from CI")
FORMS = ("f-f32", "f-bf16", "f-int8")
ELSEWHERE = [block for title in SECTIONS for block in blocks(CLUSTERS, title)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What a reader stands in: the checkout, set up, no bundle made yet."""
    for tool in ("bash", "jq"):
        if shutil.which(tool) is None:
            pytest.skip(f"the documents' lines take {tool}, which this machine lacks")
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def submitted(words):
    """What ``fruits-pipeline WORDS`` prints, where it needs neither network nor cluster."""
    if words[0] != "submit":
        cli._parsed(words)
        return ""
    words = [word for word in words if word not in {"--wait", "--dry-run"}]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert cli.main([*words, "--dry-run"]) == 0
    assert re.match(r"(aws|gcloud) ", printed.getvalue())
    return printed.getvalue()


class Moto:
    """An account in which somebody has used EMR Serverless once, and forgotten a cluster."""

    def __init__(self, folder):
        self._folder = folder
        self.client = functools.cache(functools.partial(boto3.client, region_name=REGION))
        made = {"name": "fruits-pipeline-emr-7.14.0-x86_64", "releaseLabel": "emr-7.14.0", "type": "SPARK"}
        self.client("emr-serverless").create_application(**made)
        # Groups that EMR has made for an earlier cluster, whose role was the old one.
        old = {"GroupName": "ElasticMapReduce-master", "Description": "Master group", "VpcId": self._vpc()}
        self.group = self.client("ec2").create_security_group(**old)["GroupId"]
        self.client("iam").create_user(UserName="somebody")
        self.parameters = {}
        self.forgotten = self.client("emr").run_job_flow(Name="fruits-pipeline-0", Instances={})["JobFlowId"]

    def _vpc(self):
        return self.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]

    def answer(self, words):
        """What ``aws WORDS`` prints."""
        asked = line([self.forgotten if word == A_CLUSTER else word for word in words], self._folder)
        if asked.operation is None:
            return ""
        assert request_faults(asked.service, asked.operation, asked.body) == []
        if "TemplateBody" in asked.body:
            return self._deploy({one["ParameterKey"]: one["ParameterValue"] for one in asked.body["Parameters"]})
        answer = getattr(self.client(asked.service), xform_name(asked.operation))(**asked.body)
        found = jmespath.search(asked.query, answer) if asked.query else None
        if isinstance(found, list) and all(isinstance(part, str) for part in found):
            return "\t".join(found)
        return found if isinstance(found, str) else json.dumps(found)

    def _deploy(self, given):
        """A parameter that is left out keeps its value."""
        self.parameters |= given
        deploy(**self.parameters)
        return ""


def test_every_line_for_aws_runs(folder, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    seen = []

    mine = [block for block in ELSEWHERE if re.search(r"^\s*(export .*\$\()?aws ", block, re.MULTILINE)]
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        moto = Moto(folder)

        def answer(words):
            seen.append(words)
            return submitted(words[1:]) if words[0] == "fruits-pipeline" else moto.answer(words[1:])

        *first, removal = blocks(README, "On EMR")
        paste("\n".join([*first, *mine]), folder, answer)
        schedule = moto.client("scheduler").get_schedule(Name="fruits-nightly")
        left = moto.client("emr").describe_cluster(ClusterId=moto.forgotten)["Cluster"]["Status"]["State"]
        (group,) = moto.client("ec2").describe_security_groups(GroupIds=[moto.group])["SecurityGroups"]
        subnets = [found["SubnetId"] for found in moto.client("ec2").describe_subnets()["Subnets"]]
        made = {role["RoleName"] for role in moto.client("iam").list_roles()["Roles"]}
        attached = moto.client("iam").list_attached_user_policies(UserName="somebody")["AttachedPolicies"]
        paste(removal, folder, answer)
        kept = {role["RoleName"] for role in moto.client("iam").list_roles()["Roles"]}
        assert moto.client("s3").head_bucket(Bucket="my-fruits-pipeline")
    clusters = [words for words in seen if words[1:3] == ["submit", "emr"]]
    assert clusters
    for words in clusters:
        assert cli._parsed(words[1:]).keywords["settings"].emr.subnet == tuple(subnets)
    assert len(subnets) == 3
    assert {"Key": "for-use-with-amazon-emr-managed-policies", "Value": "true"} in group["Tags"]
    assert left == "TERMINATED"
    assert {f"fruits-pipeline-{name}" for name in ("emr", "nodes", "run", "ci", "scheduler")} <= made
    assert [policy["PolicyName"] for policy in attached] == ["fruits-pipeline-submitter"]
    assert not [name for name in kept if name.startswith("fruits-pipeline-")]
    assert sum(words[0] == "aws" for words in seen) == 22
    sent = json.loads(schedule["Target"]["Input"])
    assert request_faults("emr-serverless", "StartJobRun", _small(sent) | {"clientToken": "0123"}) == []
    assert sent["ClientToken"] == "<aws.scheduler.execution-id>"


def _small(value, name=""):
    """Members as EMR Serverless itself spells them."""
    if isinstance(value, dict) and name != "tags":
        return {key[:1].lower() + key[1:]: _small(part, key.lower()) for key, part in value.items()}
    return value


def test_every_line_for_google_runs_though_gcloud_may_ask(folder):
    project = Project()

    def answer(words):
        return submitted(words[1:]) if words[0] == "fruits-pipeline" else project.answer(words[1:], folder)

    mine = [block for block in ELSEWHERE if re.search(r"^\s*(export .*\$\()?gcloud ", block, re.MULTILINE)]
    login, *first, removal = blocks(README, "On Dataproc")
    assert login == "gcloud auth login --update-adc\n"  # it waits for a browser
    text = "\n".join([*first, *mine])
    paste(text, folder, answer)
    check("batch.json", json.loads((folder / "batch.json").read_text()))
    typed = [words for words in project.seen if not words[0].startswith("--")]
    assert len(typed) == len(re.findall(r"\bgcloud ", text)) > 10
    project.full = {"my-fruits"}
    paste(f"{first[0].splitlines()[0]}\n{removal}", folder, answer)
    kept = {one for one in project.made if one[0] not in {"api", "iam workload-identity-pools"}}
    roles = {("iam roles", "fruitsNode"), ("iam roles", "fruitsSubmitter")}
    assert kept == {("storage buckets", "my-fruits"), *roles, *_made_by_hand(project)}


def _made_by_hand(project):
    """Accounts of CI and of the schedule, which only the documents' other lines make."""
    return {one for one in project.made if one[1] in {"fruits-ci", "fruits-scheduler"}}


@pytest.mark.parametrize(
    "words",
    [
        ["s3api", "create-buckets", "--bucket", "b"],
        ["s3api", "create-bucket", "--bucketname", "b"],
        ["s3", "synch", "here", "s3://b"],
        ["s3", "sync", "here", "s3://b", "--recursive"],
        ["emr", "terminate-clusters", "--ids", "j-1"],
    ],
)
def test_a_line_that_the_tool_would_not_take_is_seen(words, tmp_path):
    with pytest.raises(UnknownError):
        line(words, tmp_path)


@pytest.mark.usefixtures("folder")
def test_every_workflow_submits_what_the_tool_takes():
    lines = re.findall(r"^ +- run: \.venv/bin/fruits-pipeline (.*)$", CLUSTERS, re.MULTILINE)
    assert len(lines) == 2
    names = {"$BUCKET": "bucket", "$ACCOUNT": "123456789012"}
    for text in lines:
        submitted(shlex.split(re.sub(r"\$[A-Z]+", lambda found: names[found[0]], text)))


def test_images_per_hour_follow_from_the_benchmark_and_the_sizes():
    table = max((ROOT / "benchmarks" / "results").glob("*.md")).read_text()
    rates = [float(re.search(rf"^\| \({name}\)[^|]*\| ([\d.]+)", table, re.MULTILINE)[1]) / 2 for name in FORMS]
    assert [f"{rate:.0f}" for rate in rates] == re.findall(r"(?:f32|bf16|int8) \((\d+)", CLUSTERS)
    for vcpus, types, *told in re.findall(
        r"^\| (\d+) \| (.*?) \|" + r" ([\d.]+) million \|" * 3, CLUSTERS, re.MULTILINE
    ):
        for name in types.split(", "):
            cut = sizes(SizeSettings(nodes=1), machine(name), "4g")
            assert cut.executors * cut.executor_cores == int(vcpus)
        millions = [rate * int(vcpus) * 3600 / 1e6 for rate in rates]
        assert told == [f"{value:.1f}" if value < 10 else f"{value:.0f}" for value in millions]


@pytest.mark.usefixtures("folder")
def test_the_sizes_shown_are_those_that_submit_derives(capsys):
    submitted(["submit", "emr", "--data-source", "s3://b/fruits", "--output-uri", "s3://b/results"])
    assert re.search(r"^sizing .*$", CLUSTERS, re.MULTILINE)[0] in capsys.readouterr().err


def test_the_messages_of_the_table_are_ones_that_are_said():
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "tests" / "clouds").glob("*.py")]
    said = {node.value for file in sources for node in ast.walk(ast.parse(file.read_text())) if _is_text(node)}
    said |= {file.read_text() for file in (ROOT / "src").rglob("*.sh")}
    rows = re.findall(r"^\| `([^`]+)` \| \d", CLUSTERS, re.MULTILINE)
    assert len(rows) > 20
    assert [row for row in rows if not any(row in text for text in said)] == []


def _is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize(
    "file", ["README.md", *(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md")), "config/emr/README.md"]
)
def test_links_lead_somewhere(file):
    here = (ROOT / file).parent
    text = re.sub(r"`[^`\n]*`", "", (ROOT / file).read_text())
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        if link == "docs/report.png" and "report" not in cli.app:
            continue  # the picture comes with the command
        name, _, anchor = link.partition("#")
        found = Path(os.path.normpath(here / name)) if name else ROOT / file
        assert found.exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, link
