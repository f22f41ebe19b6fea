"""The files of ``config/emr`` against AWS's own models: botocore's shapes, enums and patterns, and IAM's grammar."""

import json
import re
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from fruits_pipeline.submit.emr_requests import api_step

# What the placeholders stand for here: values of the right type and form.
VALUES: dict[str, Any] = {
    "ACCOUNT": "123456789012",
    "ACTION_ON_FAILURE": "TERMINATE_CLUSTER",
    "APPLICATION_ID": "00f1a2b3c4d5e6f7",
    "APPLICATION_NAME": "fruits-pipeline-emr-7.14.0-x86_64",
    "APPLICATION_TOKEN": "fruits-pipeline-0123456789ab",
    "ARCHITECTURE": "X86_64",
    "ARCHIVES": "s3://bucket/packages/environment.tar.gz#environment",
    "ARGUMENTS": ["--output-uri", "s3://bucket/results"],
    "BOOTSTRAP": "s3://bucket/packages/0123456789abcdef/emr.sh",
    "CAPACITY": 5,
    "ENVIRONMENT": "s3://bucket/packages/0123456789abcdef/environment.tar.gz",
    "EXECUTION_ROLE_ARN": "arn:aws:iam::123456789012:role/fruits-pipeline-run",
    "IMAGE": {"imageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/fruits:1"},
    "INITIAL_CAPACITY": {
        "DRIVER": {"workerCount": 1, "workerConfiguration": {"cpu": "4 vCPU", "memory": "8 GB", "disk": "20 GB"}}
    },
    "JOB_ID": "fruits-pipeline-0123456789ab",
    "JOB_TOKEN": "fruits-pipeline-0123456789ab-0",
    "LIMIT": ["timeout", "86400"],
    "LOG_URI": "s3://bucket/logs",
    "MACHINE_TYPE": "m6i.xlarge",
    "MACHINE_TYPE_2": "m6a.xlarge",
    "MACHINE_TYPE_3": "m7i.xlarge",
    "MAXIMUM_DISK_GB": 100,
    "MAXIMUM_MEMORY_GB": 160,
    "MAXIMUM_VCPU": 40,
    "MAX_ATTEMPTS": 1,
    "NETWORK": {"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]},
    "NODE_PROFILE": "fruits-pipeline-nodes",
    "PRIMARY_TYPE": "m6i.xlarge",
    "PYTHON_VERSION": "3.11",
    "RELEASE_LABEL": "emr-7.14.0",
    "SCRIPT_URI": "s3://bucket/packages/run.py",
    "SERVICE_ROLE": "fruits-pipeline-emr",
    "SPARK_CONF": ["--conf", "spark.executor.cores=8"],
    "SUBNET_IDS": ["subnet-1", "subnet-2"],
    "TAGS": [{"Key": "project", "Value": "fruits-pipeline"}],
    "TIMEOUT_MINUTES": 1440,
}
_CLUSTER = {"Name": "n", "Instances": {}}
# Each file: service and operation that takes it, and the request around it.
_REQUESTS: dict[str, tuple[str, str, Any]] = {
    "cluster.json": ("emr", "RunJobFlow", lambda found: found),
    "fleets.json": ("emr", "RunJobFlow", lambda found: {**_CLUSTER, "Instances": {"InstanceFleets": found}}),
    "configurations.json": ("emr", "RunJobFlow", lambda found: {**_CLUSTER, "Configurations": found}),
    "managed-scaling.json": ("emr", "RunJobFlow", lambda found: {**_CLUSTER, "ManagedScalingPolicy": found}),
    "auto-termination.json": ("emr", "RunJobFlow", lambda found: {**_CLUSTER, "AutoTerminationPolicy": found}),
    "step.json": ("emr", "RunJobFlow", lambda found: {**_CLUSTER, "Steps": [api_step(step) for step in found]}),
    "cancel-step.json": ("emr", "RunJobFlow", lambda found: {**_CLUSTER, "Steps": [api_step(step) for step in found]}),
    "notebook-bootstrap.json": ("emr", "RunJobFlow", lambda found: {**_CLUSTER, "BootstrapActions": _actions(found)}),
    "notebook-configurations.json": ("emr", "RunJobFlow", lambda found: {**_CLUSTER, "Configurations": found}),
    "serverless-application.json": ("emr-serverless", "CreateApplication", lambda found: found),
    "serverless-job.json": ("emr-serverless", "StartJobRun", lambda found: found),
}
# Of those who may vouch for somebody parliament knows a few, GitHub not among them; its token has the same claims:
# https://docs.github.com/en/actions/reference/security/oidc
_GITHUB, _KNOWN = "token.actions.githubusercontent.com", "accounts.google.com"
# Strings in one file where the other has lists.
_IN_SERVERLESS = {"SPARK_CONF": "--conf spark.executor.cores=8"}


def _actions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bootstrap actions as the API takes them: what the ``aws`` tool has flat is nested there."""
    return [{"Name": one.pop("Name", None), "ScriptBootstrapAction": one} for one in json.loads(json.dumps(found))]


def values(name: str) -> dict[str, Any]:
    """What the placeholders of the file ``name`` stand for."""
    return VALUES | (_IN_SERVERLESS if name == "serverless-job.json" else {})


def faults(name: str, content: Any) -> list[str]:
    """All that AWS would refuse in a file below ``config/emr``, its placeholders filled."""
    service, operation, around = _REQUESTS[name]
    return request_faults(service, operation, around(content))


def request_faults(service: str, operation: str, body: Any) -> list[str]:
    """All that AWS would refuse in a request: names, types, ranges; then enums, patterns, lengths."""
    shape = service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(body, shape).generate_report()
    return [*report.splitlines(), *_values_faults(body, shape, operation)]


@cache
def service_model(name: str) -> Any:
    """Botocore's model of a service, such as ``s3``."""
    return botocore.session.get_session().get_service_model(name)


def _values_faults(value: Any, shape: Any, where: str) -> Iterator[str]:
    """What botocore leaves to the service: values of enums, patterns, and how long a string or a list may be."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in value.keys() & shape.members.keys():
            yield from _values_faults(value[name], shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for place, part in enumerate(value):
            yield from _values_faults(part, shape.member, f"{where}[{place}]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for name, part in value.items():
            yield from _values_faults(part, shape.value, f"{where}.{name}")
    elif shape.type_name == "string" and isinstance(value, str):
        yield from _string_faults(value, shape, where)
    if isinstance(value, str | list) and len(value) > shape.metadata.get("max", len(value)):
        yield f"{where}: expected at most {shape.metadata['max']}, found {len(value)}"


def _string_faults(value: str, shape: Any, where: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"{where}: expected one of {', '.join(shape.enum)}, found {value!r}"
    pattern = _compiled(shape.metadata.get("pattern", ".*"))
    if pattern is not None and not pattern.fullmatch(value):
        yield f"{where}: expected {pattern.pattern}, found {value!r}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """A pattern of a service's model; None where only other languages than Python know its grammar."""
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None


def policy_faults(policy: dict[str, Any], *, trust: bool = False) -> list[str]:
    """IAM's grammar, actions, resources and conditions; of a trust policy the resource is the role itself."""
    with warnings.catch_warnings(action="ignore"):  # because it leaves its files open, and asks for pkg_resources
        from parliament import analyze_policy_string
    statements = policy.get("Statement", ())
    if trust:
        role = f"arn:aws:iam::{VALUES['ACCOUNT']}:role/any"
        policy = {**policy, "Statement": [{**part, "Resource": role} for part in statements]}
    said = json.dumps(policy).replace(f"arn:aws:iam::{VALUES['ACCOUNT']}:oidc-provider/{_GITHUB}", _KNOWN)
    said = said.replace(f'"{_GITHUB}:', f'"{_KNOWN}:')
    found = [f"{found.issue}: {found.detail}" for found in analyze_policy_string(said).findings]
    return found + [fault for part in statements for fault in _null_faults(part.get("Condition", {}))]


def _null_faults(condition: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Keys asked for by ``Null`` alone, which parliament does not look at: ours only narrow another operator."""
    others = {key for operator, keys in condition.items() if operator != "Null" for key in keys}
    yield from (
        f"Null: expected one of {sorted(others)}, found {key}" for key in condition.get("Null", {}) if key not in others
    )
