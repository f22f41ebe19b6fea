"""``config/emr/account.yaml``: what CloudFormation takes, what the policies grant, and what a removed stack leaves."""

import copy
import json
import shutil
import subprocess

import boto3
import pytest
from botocore.exceptions import ClientError
from cfnlint.api import lint
from cfnlint.decode import decode_str
from moto import mock_aws

from fruits_pipeline.settings.emr import EmrSettings
from pasted import blocks
from schemas.account import STACK, TEMPLATE, deploy, properties
from schemas.aws import policy_faults
from servers.moto_s3 import moto_s3

REGIONS = ["eu-west-1", "eu-west-3", "eu-central-1", "us-east-1"]
ALL = {"Bucket": "photos", "Email": "somebody@example.org", "Repository": "owner/repository", "Schedule": "yes"}
ROOT = TEMPLATE.parents[2]


@pytest.fixture(scope="module")
def made():
    return properties(SourceBucket="elsewhere", **ALL)


def documents(value):
    """The policy documents below a resource's properties, and whether each says who may take a role."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        if key in {"PolicyDocument", "AssumeRolePolicyDocument"}:
            yield part, key == "AssumeRolePolicyDocument"
        elif isinstance(part, dict | list):
            yield from documents(part)


def policies(made):
    return [found for resource in made.values() for found in documents(resource)]


def statements(made, name):
    """The statements of a resource's only policy, by name."""
    ((policy, _),) = documents(made[name])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_cloudformation_takes_the_template_and_knows_its_types_where_we_run():
    assert lint(TEMPLATE.read_text(), None, REGIONS) == []


def renamed(value, depth, found):
    """A copy whose keys at ``depth`` are misspelt; policies are checked elsewhere, functions are no properties."""
    if isinstance(value, list):
        return [renamed(part, depth, found) for part in value]
    if not isinstance(value, dict):
        return value
    changed = {}
    for key, part in value.items():
        if key == "Ref" or key.startswith("Fn::") or key.endswith("PolicyDocument"):
            changed[key] = part
        elif depth == 0:
            found.append(key + "x")
            changed[key + "x"] = part
        else:
            changed[key] = renamed(part, depth - 1, found)
    return changed


def test_a_misspelt_property_is_refused_wherever_it_is():
    seen = 0
    for depth in range(6):
        template, _ = decode_str(TEMPLATE.read_text())
        template = json.loads(json.dumps(template))
        found = []
        for resource in template["Resources"].values():
            resource["Properties"] = renamed(resource["Properties"], depth, found)
        said = " ".join(match.message for match in lint(json.dumps(template), None, REGIONS[:1])) if found else ""
        assert [key for key in found if f"'{key}'" not in said] == []
        seen += len(found)
    assert seen > 60


def test_iam_knows_every_action_resource_and_condition(made):
    found = policies(made)
    assert len(found) == 10
    assert [fault for policy, trust in found for fault in policy_faults(policy, trust=trust)] == []


def test_a_misspelt_key_of_a_policy_is_refused(made):
    for policy, trust in policies(made):
        for place, statement in enumerate(policy["Statement"]):
            for key in statement.keys() - {"Sid"}:
                changed = copy.deepcopy(policy)
                changed["Statement"][place][key + "x"] = changed["Statement"][place].pop(key)
                assert policy_faults(changed, trust=trust), (key, statement)


def test_the_submitter_fits_into_a_managed_policy():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 6,144 characters, no white space."""
    longest = properties(Bucket="b" * 63)["SubmitterPolicy"]["PolicyDocument"]
    assert len("".join(json.dumps(longest).split())) < 5_500


def test_a_bucket_is_private_and_encrypted_without_what_older_tools_refuse(made):
    bucket = made["DataBucket"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule.keys() == {"ServerSideEncryptionByDefault", "BucketKeyEnabled"}
    denied = statements(made, "DataBucketPolicy")["NoKeysOfCallers"]
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"StringLike": {"s3:x-amz-server-side-encryption-customer-algorithm": "*"}}


def test_temporary_files_and_logs_go_and_results_stay(made):
    rules = made["DataBucket"]["LifecycleConfiguration"]["Rules"]
    assert {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule} == {
        "tmp/": 7,
        "logs/": 30,
    }


def test_the_job_reads_images_and_bundles_and_writes_results_and_no_more(made):
    found = statements(made, "JobPolicy")
    assert found["ReadSourceAndPackage"]["Resource"] == [
        "arn:aws:s3:::photos/fruits/*",
        "arn:aws:s3:::photos/packages/*",
    ]
    assert found["ReadAndWriteOutput"]["Resource"] == ["arn:aws:s3:::photos/results/*", "arn:aws:s3:::photos/tmp/*"]
    assert found["WriteLogs"]["Resource"] == "arn:aws:s3:::photos/logs/*"
    assert (
        made["JobPolicy"]["Roles"] == made["SourcePolicy"]["Roles"] == ["fruits-pipeline-nodes", "fruits-pipeline-run"]
    )
    assert statements(made, "SourcePolicy")["ReadTheSource"]["Resource"] == "arn:aws:s3:::elsewhere/*"


def test_services_make_their_own_roles_and_nobody_makes_another(made):
    """Each right to make a role is for one that belongs to a service, as AWS' own policies grant it."""
    found = [part for policy, _ in policies(made) for part in policy["Statement"]]
    making = [part for part in found if part["Action"] == "iam:CreateServiceLinkedRole"]
    resources = [one for part in making for one in _many(part["Resource"])]
    services = [one for part in making for one in _many(part["Condition"]["StringEquals"]["iam:AWSServiceName"])]
    assert [one.split("/")[2] for one in resources] == services
    assert sorted(services) == [
        "elasticmapreduce.amazonaws.com",
        "ops.emr-serverless.amazonaws.com",
        "spot.amazonaws.com",
    ]


def _many(value):
    return value if isinstance(value, list) else [value]


def test_the_roles_have_the_names_that_submit_asks_for():
    made = properties(Bucket="photos")
    settings = EmrSettings()
    assert made["ServiceRole"]["RoleName"] == settings.service_role
    assert made["NodeProfile"]["InstanceProfileName"] == settings.node_profile
    assert not {"Budget", "GitHub", "CiRole", "SchedulerRole", "SourcePolicy"} & made.keys()


def test_github_is_made_once_and_its_role_is_for_one_branch(made):
    assert made["GitHub"]["Url"] == "https://token.actions.githubusercontent.com"
    known = properties(GitHubKnown="yes", **ALL)
    assert "GitHub" not in known
    (statement,) = known["CiRole"]["AssumeRolePolicyDocument"]["Statement"]
    asked = statement["Condition"]["StringEquals"]
    assert asked["token.actions.githubusercontent.com:sub"] == "repo:owner/repository:ref:refs/heads/main"


def test_the_budget_warns_at_half_nine_tenths_and_all_of_it(made):
    rules = made["Budget"]["NotificationsWithSubscribers"]
    assert [rule["Notification"]["Threshold"] for rule in rules] == [50, 90, 100]
    assert {one["Address"] for rule in rules for one in rule["Subscribers"]} == {"somebody@example.org"}


def test_a_removed_stack_leaves_the_bucket_with_its_results_and_nothing_else():
    with mock_aws():
        deploy(**ALL)
        iam, s3 = (boto3.client(name, region_name="eu-west-1") for name in ("iam", "s3"))
        s3.put_object(Bucket="photos", Key="results/run.json", Body=b"{}")
        assert len(iam.list_roles()["Roles"]) == 5
        boto3.client("cloudformation", region_name="eu-west-1").delete_stack(StackName=STACK)
        assert iam.list_roles()["Roles"] == []
        assert iam.list_instance_profiles()["InstanceProfiles"] == []
        assert s3.get_object(Bucket="photos", Key="results/run.json")["Body"].read() == b"{}"
        for policy in iam.list_policies(Scope="Local")["Policies"]:  # which moto's CloudFormation leaves
            iam.delete_policy(PolicyArn=policy["Arn"])
        deploy(NewBucket="no", **ALL)
        assert len(iam.list_roles()["Roles"]) == 5


def test_the_bucket_and_its_policy_outlive_the_stack():
    resources = decode_str(TEMPLATE.read_text())[0]["Resources"]
    kept = {name for name, resource in resources.items() if "DeletionPolicy" in resource}
    assert kept == {"DataBucket", "DataBucketPolicy"}
    for name in kept:
        assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resources[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")
@pytest.mark.skipif(shutil.which("aws") is None, reason="this machine lacks the aws tool")
def test_the_readmes_lines_are_ones_that_the_aws_tool_itself_takes(monkeypatch):
    lines = "\n".join(blocks((ROOT / "README.md").read_text(), "On EMR")).splitlines()
    (up,) = (text for text in lines if text.startswith("aws cloudformation deploy"))
    (down,) = (text for text in lines if text.startswith("aws cloudformation delete-stack"))
    with moto_s3() as server:
        environment = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        environment |= {"AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "eu-west-1", "BUCKET": "photos"}
        for name, value in {**environment, "EMAIL": "somebody@example.org", "AWS_PAGER": ""}.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("cloudformation")
        for text in (up, up, down):
            ended = subprocess.run(["bash", "-c", text], cwd=ROOT, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stderr
            if text == up:
                assert client.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"].endswith("_COMPLETE")
        with pytest.raises(ClientError, match="does not exist"):
            client.describe_stacks(StackName=STACK)
