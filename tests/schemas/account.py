"""The resources of ``config/emr/account.yaml``, deployed on moto, as CloudFormation would make them."""

import warnings
from typing import Any

import boto3
from moto import mock_aws

from fruits_pipeline.clusters.folder import config_folder

TEMPLATE = config_folder() / "emr" / "account.yaml"
STACK = "fruits-pipeline"
# Of these moto's CloudFormation makes nothing; it fills their parameters all the same.
_UNKNOWN = "Tried to parse AWS::(S3::BucketPolicy|Budgets::Budget|IAM::OIDCProvider) but it's not supported"


def deploy(region: str = "eu-west-1", **parameters: str) -> None:
    """Makes the stack on moto, which must be on, or changes it; ``parameters`` are the template's own."""
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    # Of what a stack may keep moto knows the older policy, which keeps the bucket of a deployment that failed too.
    template = TEMPLATE.read_text().replace("RetainExceptOnCreate", "Retain")
    body = {"TemplateBody": template, "Parameters": given, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    client = boto3.client("cloudformation", region_name=region)
    there = {stack["StackName"] for stack in client.describe_stacks()["Stacks"]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _UNKNOWN, UserWarning)
        (client.update_stack if STACK in there else client.create_stack)(StackName=STACK, **body)
        resources = _resources(region)
        for name in resources:
            resources[name]  # moto's update makes nothing by itself for a condition that has come true


def properties(region: str = "eu-west-1", **parameters: str) -> dict[str, dict[str, Any]]:
    """The properties of each resource that the parameters ask for, by its name, every reference filled."""
    from moto.cloudformation.parsing import clean_json

    with mock_aws():
        deploy(region, **parameters)
        resources = _resources(region)
        made = {
            name: clean_json(content, resources)
            for name, content in resources._resource_json_map.items()
            if resources.lazy_condition_map.get(content.get("Condition"), True)
        }
    return {name: content["Properties"] for name, content in made.items()}


def _resources(region: str) -> Any:
    from moto.cloudformation.models import cloudformation_backends
    from moto.core import DEFAULT_ACCOUNT_ID

    return cloudformation_backends[DEFAULT_ACCOUNT_ID][region].get_stack(STACK).resource_map
