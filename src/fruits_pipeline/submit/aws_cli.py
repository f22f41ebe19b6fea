"""Command lines of ``aws`` that send the same requests."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any


def line(region: str, service: str, command: str, *words: str) -> str:
    """A command line of ``aws``, quoted for a shell.

    >>> line("eu-west-1", "emr", "list-steps", "--cluster-id", "j-1")
    'aws emr list-steps --region eu-west-1 --cluster-id j-1'
    """
    return shlex.join(["aws", service, command, "--region", region, *words])


def with_profile(text: str, profile: str | None) -> str:
    """Each command line with ``--profile``, where a profile is set.

    >>> with_profile("aws emr list-clusters", "my own"), with_profile("aws emr list-clusters", None)
    ("aws emr list-clusters --profile 'my own'", 'aws emr list-clusters')
    """
    if profile is None:
        return text
    return "\n".join(f"{one} --profile {shlex.quote(profile)}" for one in text.split("\n"))


def options(body: Mapping[str, Any]) -> list[str]:
    """Members of a request as options of ``aws``: names in lower case with dashes, structures as JSON.

    >>> options({"ReleaseLabel": "emr-7.14.0", "jobDriver": {"sparkSubmit": {}}, "StepConcurrencyLevel": 1})
    ['--release-label', 'emr-7.14.0', '--job-driver', '{"sparkSubmit": {}}', '--step-concurrency-level', '1']
    """
    return [word for name, value in body.items() for word in (_option(name), _text(value))]


def _option(name: str) -> str:
    return "--" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def create_cluster(region: str, body: Mapping[str, Any], steps: list[dict[str, Any]]) -> str:
    """``aws emr create-cluster`` for a body of ``RunJobFlow``, of which a few members have options of another form.

    Args:
        region: Region of the cluster.
        body: The request.
        steps: Its steps as the tool takes them, which is the form of ``config/emr/step.json``.
    """
    instances = body["Instances"]
    attributes = {"InstanceProfile": body["JobFlowRole"], "SubnetIds": instances["Ec2SubnetIds"]}
    # VisibleToAllUsers is the default of aws; the others have options of another form.
    special = {"Instances", "JobFlowRole", "Steps", "Tags", "VisibleToAllUsers"}
    return line(
        region,
        "emr",
        "create-cluster",
        *options({name: value for name, value in body.items() if name not in special}),
        *options({"Ec2Attributes": attributes, "InstanceFleets": instances["InstanceFleets"], "Steps": steps}),
        *("--tags", *(f"{tag['Key']}={tag['Value']}" for tag in body["Tags"])),
        "--no-auto-terminate" if instances["KeepJobFlowAliveWhenNoSteps"] else "--auto-terminate",
    )
