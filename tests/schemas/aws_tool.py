"""The words of an ``aws`` line as the API's request, by the rules of the tool: https://docs.aws.amazon.com/cli/."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore import xform_name

from schemas.aws import service_model

_SERVICES = {"s3api": "s3"}
# Of the tool itself, for any command.
_GLOBAL = {"--query", "--output", "--region"}
# Commands of the tool's own, and what they take of it; https://docs.aws.amazon.com/cli/latest/reference/.
_OWN = {
    ("s3", "cp"): {"--recursive"},
    ("s3", "ls"): {"--recursive", "--summarize", "--human-readable"},
    ("s3", "rm"): {"--recursive"},
    ("s3", "sync"): {"--delete"},
}
# https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy/
_DEPLOY = {"--template-file", "--stack-name", "--capabilities", "--parameter-overrides", "--no-fail-on-empty-changeset"}
_RENAMED = {("emr", "terminate-clusters"): ("TerminateJobFlows", {"--cluster-ids": "--job-flow-ids"})}
_ACTIVE = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", "TERMINATING"]


class UnknownError(ValueError):
    """When the tool would not take a line."""


@dataclass(frozen=True)
class Line:
    """What a line asks for; ``operation`` is None where the tool does more than one call."""

    service: str
    operation: str | None
    body: dict[str, Any]
    query: str | None


def line(words: list[str], folder: Path) -> Line:
    """The request of ``aws WORDS``.

    Args:
        words: The words after ``aws``.
        folder: Where ``file://`` names begin.

    Raises:
        UnknownError: When there is no such command, or it has no such option.
    """
    service, command, *rest = words
    given = _options(rest)
    query = given.pop("--query", [None])[0]
    for name in _GLOBAL:
        given.pop(name, None)
    if service == "s3":
        if unknown := given.keys() - _OWN.get((service, command), set()):
            raise UnknownError(f"aws s3 {command}: {unknown}")
        if (service, command) not in _OWN:
            raise UnknownError(f"aws s3 {command}")
        return Line(service, None, {}, query)
    if (service, command) == ("emr", "list-clusters") and given.pop("--active", None) is not None:
        given["--cluster-states"] = _ACTIVE
    if (service, command) == ("cloudformation", "deploy"):
        return _deploy(given, folder, query)
    model = service_model(_SERVICES.get(service, service))
    operation, renamed = _RENAMED.get((service, command), (None, {}))
    known = {xform_name(name, "-"): name for name in model.operation_names}
    if operation is None and command not in known:
        raise UnknownError(f"aws {service} {command}")
    operation = operation or known[command]
    members = {f"--{xform_name(name, '-')}": name for name in model.operation_model(operation).input_shape.members}
    shapes = model.operation_model(operation).input_shape.members
    body = {}
    for option, values in given.items():
        name = members.get(renamed.get(option, option))
        if name is None:
            raise UnknownError(f"aws {service} {command} {option}")
        body[name] = _value([_read(value, folder) for value in values], shapes[name])
    return Line(model.service_name, operation, body, query)


def _deploy(given: dict[str, list[str]], folder: Path, query: str | None) -> Line:
    """What the change set of ``DeployCommand`` (awscli/customizations/cloudformation/deploy.py) comes to."""
    if unknown := given.keys() - _DEPLOY:
        raise UnknownError(f"aws cloudformation deploy {unknown}")
    pairs = [word.split("=", 1) for word in given.get("--parameter-overrides", [])]
    body = {
        "StackName": given["--stack-name"][0],
        "TemplateBody": (folder / given["--template-file"][0]).read_text(),
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in pairs],
        "Capabilities": given["--capabilities"],
    }
    return Line("cloudformation", "CreateStack", body, query)


def _options(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            found[word] = []
        elif found:
            list(found.values())[-1].append(word)
    return found


def _read(value: str, folder: Path) -> str:
    return (folder / value.removeprefix("file://")).read_text() if value.startswith("file://") else value


def _value(values: list[str], shape: Any) -> Any:
    if shape.type_name in {"structure", "map", "list"} and values and values[0].lstrip().startswith(("{", "[")):
        return json.loads(values[0])
    if shape.type_name == "list":
        return [_value([value], shape.member) for value in values]
    if shape.type_name == "structure":
        return _shorthand(values[0], shape)
    return int(values[0]) if shape.type_name in {"integer", "long"} else values[0]


def _shorthand(text: str, shape: Any) -> dict[str, Any]:
    """``Key=a,Values=b,c``."""
    found: dict[str, list[str]] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if equals:
            found[name] = [value]
        else:
            list(found.values())[-1].append(part)
    lists = {name for name, member in shape.members.items() if member.type_name == "list"}
    return {name: parts if name in lists else ",".join(parts) for name, parts in found.items()}
