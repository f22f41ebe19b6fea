import json
import re
import shlex

import botocore.session
import pytest
from botocore import xform_name

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.clusters.templates import load
from schemas.aws import faults, request_faults, values

FOLDER = config_folder() / "emr"
FILES = sorted(str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*.json"))
README = (FOLDER / "README.md").read_text()


def content(name):
    return load(f"emr/{name}", values(name))


def places(value, path=()):
    """The path to every key of a structure; keys of maps, whose names are free, are left out."""
    free = {"Properties", "properties", "tags", "initialCapacity"}
    if isinstance(value, dict):
        for key, part in value.items():
            yield (*path, key)
            if key not in free:
                yield from places(part, (*path, key))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from places(part, (*path, place))


def misspelled(value, path):
    """The content with the key at ``path`` one letter short, its order kept."""
    value = json.loads(json.dumps(value))
    parent = value
    for step in path[:-1]:
        parent = parent[step]
    pairs = [(key[:-1] if key == path[-1] else key, part) for key, part in parent.items()]
    parent.clear()
    parent.update(pairs)
    return value


@pytest.mark.parametrize("name", FILES)
def test_aws_takes_every_file(name):
    assert faults(name, content(name)) == []


@pytest.mark.parametrize("name", FILES)
def test_every_placeholder_is_known(name):
    left = re.findall(r"\$\{\w+\}", json.dumps(content(name)))
    assert left == []


@pytest.mark.parametrize("name", FILES)
def test_a_misspelled_key_is_refused_wherever_it_is(name):
    found = list(places(content(name)))
    assert found
    for path in found:
        assert faults(name, misspelled(content(name), path)), path


@pytest.mark.parametrize(
    ("service", "operation", "body", "told"),
    [
        ("emr", "RunJobFlow", {"Name": "n", "Instances": {}, "ScaleDownBehavior": "NEVER"}, "expected one of"),
        ("emr", "RunJobFlow", {"Name": "n" * 257, "Instances": {}}, "at most 256"),
        ("emr", "RunJobFlow", {"Name": "n", "Instances": {}, "StepConcurrencyLevel": "1"}, "Invalid type"),
        ("emr", "RunJobFlow", {"Name": "n"}, "Missing required"),
        ("emr-serverless", "CancelJobRun", {"applicationId": "UPPER", "jobRunId": "0"}, "expected [0-9a-z]+"),
    ],
)
def test_what_botocore_leaves_to_the_service_is_seen_too(service, operation, body, told):
    assert any(told in fault for fault in request_faults(service, operation, body))


@pytest.mark.parametrize("name", FILES)
def test_the_readme_says_how_each_file_is_applied(name):
    (row,) = re.findall(rf"^\| `{re.escape(name)}` \|.*$", README, re.MULTILINE)
    assert re.search(r"`aws [a-z0-9-]+ [a-z-]+ .*`", row)


COMMANDS = re.findall(r"(?:`|^)(aws (?!sts)[^`\n]*)", README, re.MULTILINE)
# Commands of the tool's own, which are held to the tool itself where it is at hand.
CUSTOM = {"create-cluster", "add-steps", "deploy", "rb"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_has_an_operation_that_takes_its_options(command):
    _, service, name, *words = shlex.split(command)
    options = {word for word in words if word.startswith("--")}
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(operation, "-"): operation for operation in model.operation_names}
    if name in CUSTOM:
        return
    members = model.operation_model(operations[name]).input_shape.members
    assert options <= {f"--{xform_name(member, '-')}" for member in members} | {"--cli-input-json"}
