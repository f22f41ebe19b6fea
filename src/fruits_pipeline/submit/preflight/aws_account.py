"""What an AWS account has, and what who submits may do with it: credentials, buckets, roles."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from fruits_pipeline.errors import SubmissionError
from fruits_pipeline.submit.aws import Aws
from fruits_pipeline.submit.preflight.finding import Finding, fault, fault_of, ok, unknown, warning

_NO_BUCKET = frozenset({"404", "NoSuchBucket"})
_DENIED = "403"
_NO_ROLE = "NoSuchEntity"
_MAKE_ROLES = "make it by the stack of config/emr/account.yaml"
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html: in refusals and redirects too.
_REGION_HEADER = "x-amz-bucket-region"


class Role(NamedTuple):
    """A role of the job: its name, the service that takes it, and the flag that names another."""

    name: str
    service: str
    flag: str


class Account:
    """The account of the credentials, asked in one region."""

    def __init__(self, region: str, profile: str | None) -> None:
        """``profile`` is one of the AWS configuration."""
        self.region = region
        self._profile = profile
        self._services: dict[str, Aws] = {}

    def call(self, service: str, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The response of ``service`` to ``operation``.

        Raises:
            SubmissionError: When there is no answer, or a refusal, whose ``code`` says which.
        """
        if service not in self._services:
            self._services[service] = Aws(service, self.region, self._profile)
        return self._services[service].call(operation, body)

    @cached_property
    def caller(self) -> dict[str, Any]:
        """``Account`` and ``Arn`` of who submits."""
        return self.call("sts", "GetCallerIdentity", {})


def credentials(account: Account) -> Iterator[Finding]:
    """Whether somebody is known to AWS as the caller."""
    try:
        yield ok("credentials", str(account.caller["Arn"]))
    except SubmissionError as error:
        yield fault_of("credentials", error)


def bucket(account: Account, name: str, flags: str, own_region: str | None) -> Iterator[Finding]:
    """Whether the bucket that ``flags`` name is there, and in the job's region; ``own_region`` is --s3-region."""
    check = f"bucket {name}"
    denied = False
    try:
        found = account.call("s3", "HeadBucket", {"Bucket": name})
    except SubmissionError as error:
        if error.code in _NO_BUCKET:
            remedy = f"correct {flags}, or make it as the README says"
            yield fault(check, f"expected the bucket of {flags}, found none by that name", remedy)
            return
        found = getattr(error.__cause__, "response", {})
        if not _region(found):
            raise
        denied = error.code == _DENIED
    region = _region(found)
    if region not in {account.region, own_region}:
        told = f"expected the bucket of {flags} in the job's region {account.region}, found it in {region}"
        yield fault(check, told, f"give --region {region}, or --s3-region {region} and pay for the traffic")
    elif denied:
        # Names are those of all accounts: one that was mistyped may be there too.
        yield unknown(check, f"in {region}; who submits may not look into it: is it yours?")
    elif region == account.region:
        yield ok(check, f"in {region}")
    else:
        yield warning(check, f"in {region}, the job in {account.region}", "traffic between regions costs")


def _region(answer: Mapping[str, Any]) -> str:
    found: str = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(_REGION_HEADER, "")
    return found


def role(account: Account, wanted: Role) -> Iterator[Finding]:
    """Whether the role is there, its service may take it, and who submits may pass it on."""
    check = f"role {wanted.name}"
    try:
        found = account.call("iam", "GetRole", {"RoleName": wanted.name})["Role"]
    except SubmissionError as error:
        if error.code != _NO_ROLE:
            raise
        remedy = f"{_MAKE_ROLES}, or name yours by {wanted.flag}"
        yield fault(
            check, f"expected the role {wanted.name} in account {account.caller['Account']}, found none", remedy
        )
        return
    if not _trusts(found.get("AssumeRolePolicyDocument", {}), wanted.service):
        told = f"expected {wanted.service} in the trust policy of {wanted.name}, found it missing"
        yield fault(check, told, f"let it assume the role ('aws iam update-assume-role-policy'), or {_MAKE_ROLES}")
    yield from _may_pass(account, check, found["Arn"], wanted)


def instance_profile(account: Account, name: str) -> Iterator[Finding]:
    """Whether the nodes' instance profile is there, and its role as ``role`` says."""
    check = f"instance profile {name}"
    try:
        profile = account.call("iam", "GetInstanceProfile", {"InstanceProfileName": name})["InstanceProfile"]
    except SubmissionError as error:
        if error.code != _NO_ROLE:
            raise
        told = f"expected the instance profile {name}, found none"
        yield fault(check, told, f"{_MAKE_ROLES}, or name yours by --node-profile")
        return
    if not profile["Roles"]:
        remedy = "'aws iam add-role-to-instance-profile' puts one there"
        yield fault(check, f"expected a role in the instance profile {name}, found none", remedy)
    for held in profile["Roles"]:
        yield from role(account, Role(held["RoleName"], "ec2.amazonaws.com", "--node-profile"))


def _trusts(policy: Mapping[str, Any], service: str) -> bool:
    """Whether a trust policy lets ``service`` assume its role.

    >>> _trusts({"Statement": [{"Effect": "Allow", "Principal": {"Service": ["a.amazonaws.com"]}}]}, "a.amazonaws.com")
    True
    """
    for statement in policy.get("Statement", ()):
        principal = statement.get("Principal", {})
        named = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and service in ([named] if isinstance(named, str) else named):
            return True
    return False


def _may_pass(account: Account, check: str, arn: str, wanted: Role) -> Iterator[Finding]:
    """Whether who submits may give the role to its service, as IAM's own simulation says."""
    source = _simulated(account)
    if source.endswith(":root"):
        yield ok(check, "there, and may be passed on")
        return
    context = {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyValues": [wanted.service],
        "ContextKeyType": "string",
    }
    body = {
        "PolicySourceArn": source,
        "ActionNames": ["iam:PassRole"],
        "ResourceArns": [arn],
        "ContextEntries": [context],
    }
    (decided,) = account.call("iam", "SimulatePrincipalPolicy", body)["EvaluationResults"]
    if decided["EvalDecision"] == "allowed":
        yield ok(check, "there, and may be passed on")
    elif missing := decided.get("MissingContextValues"):
        yield unknown(check, f"may perhaps not be passed on: IAM's simulation does not know {', '.join(missing)}")
    else:
        told = f"expected {source} to be allowed iam:PassRole on {arn}, found {decided['EvalDecision']}"
        yield fault(
            check,
            told,
            "let somebody grant it: SubmitterPolicy of config/emr/account.yaml has it",
        )


def _simulated(account: Account) -> str:
    """The ARN whose policies hold for the caller: of a session that of its role, with the role's path."""
    arn = str(account.caller["Arn"])
    if ":assumed-role/" not in arn:
        return arn
    return str(account.call("iam", "GetRole", {"RoleName": arn.split("/")[1]})["Role"]["Arn"])
