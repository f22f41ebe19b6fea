"""An AWS account for the preflight: moto, with the quotas and the simulation of IAM that it lacks; calls recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from schemas.aws import request_faults

REGION, ACCOUNT = "eu-west-1", "123456789012"
# Whatever makes, changes or deletes something is named otherwise.
_READS = ("Get", "List", "Describe", "Head", "Simulate")


class AwsAccount:
    """What ``service-quotas`` and ``SimulatePrincipalPolicy`` answer, what is denied, and what was called."""

    def __init__(self) -> None:
        self.quotas: dict[str, float] = {}
        self.defaults: dict[str, float] = {}
        self.may_pass = True
        self.denied: set[str] = set()
        self.codes: dict[str, str] = {}
        self.instead: dict[str, dict[str, Any]] = {}
        self.called: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.simulated: set[str] = set()

    @property
    def made(self) -> list[str]:
        """The calls that are no reads."""
        return [operation for _, operation in self.called if not operation.startswith(_READS)]

    def answer(self, service: str, operation: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The answer in moto's place; None where moto has it."""
        self.called.append((service, operation))
        self.faults += request_faults(service, operation, body)
        if operation in self.denied:
            raise _denied(operation)
        if operation in self.codes:
            raise _refused(self.codes[operation], "as the service words it", operation)
        if operation in {"GetServiceQuota", "GetAWSDefaultServiceQuota"}:
            held = self.quotas if operation == "GetServiceQuota" else self.defaults
            if body["QuotaCode"] not in held:
                raise _refused("NoSuchResourceException", "no such quota", operation)
            return {"Quota": {"Value": held[body["QuotaCode"]]}}
        if operation == "SimulatePrincipalPolicy":
            self.simulated.add(body["PolicySourceArn"])
            decided = {"EvaluationResults": [{"EvalDecision": "allowed" if self.may_pass else "implicitDeny"}]}
            return self.instead.get(operation, decided)
        return self.instead.get(operation)


def _denied(operation: str) -> ClientError:
    """S3 tells a bucket's region in refusals too, and has no body in answers to HEAD."""
    error = _refused("AccessDenied", f"not authorized to perform: {operation}", operation)
    if operation == "HeadBucket":
        error.response["Error"] = {"Code": "403", "Message": "Forbidden"}
        error.response["ResponseMetadata"] = {"HTTPHeaders": {"x-amz-bucket-region": REGION}}
    return error


def _refused(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def bucket(name: str, region: str = REGION) -> Any:
    """Makes a bucket, and gives a client of it."""
    client = boto3.client("s3", region_name=region)
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    return client


def role(name: str, service: str) -> None:
    """Makes a role that ``service`` may assume."""
    trust = f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{service}"}},'
    client = boto3.client("iam", region_name=REGION)
    client.create_role(RoleName=name, AssumeRolePolicyDocument=trust + '"Action":"sts:AssumeRole"}]}')


def profile(name: str, of: str) -> None:
    """Makes an instance profile with the role ``of``."""
    client = boto3.client("iam", region_name=REGION)
    client.create_instance_profile(InstanceProfileName=name)
    client.add_role_to_instance_profile(InstanceProfileName=name, RoleName=of)


def subnets() -> list[str]:
    """The default network's subnets, one in each zone."""
    found = boto3.client("ec2", region_name=REGION).describe_subnets()["Subnets"]
    return [one["SubnetId"] for one in found]


@contextmanager
def recorded(account: AwsAccount) -> Iterator[AwsAccount]:
    """From here on the account's own answers come first, and every call is recorded and held against its schema."""
    plain = BaseClient._make_api_call

    def call(self: Any, operation: str, body: dict[str, Any]) -> Any:
        found = account.answer(self.meta.service_model.service_name, operation, body)
        return plain(self, operation, body) if found is None else found

    with mock.patch.object(BaseClient, "_make_api_call", call):
        yield account


@contextmanager
def empty_account() -> Iterator[AwsAccount]:
    """Moto, empty."""
    with mock_aws(), mock.patch("botocore.endpoint.time.sleep"):
        yield AwsAccount()
