"""The files of ``config/dataproc/``: each is what Google takes, a misspelt key is refused, and little is granted."""

import copy
import json
import re

import pytest

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.clusters.templates import filled
from schemas.google import RefusedError, check
from servers.policies import Grants

FOLDER = config_folder() / "dataproc"
FILES = sorted(FOLDER.glob("*.json"))
# Maps whose keys are the user's: no schema can refuse one.
FREE = {"labels", "properties", "metadata"}
VALUES = {
    "ARCHIVES": ["gs://bucket/packages/1/environment.tar.gz#environment"],
    "ARGUMENTS": ["--data-source", "gs://data/fruits"],
    "AUTHENTICATION": {"userWorkloadAuthenticationType": "SERVICE_ACCOUNT"},
    "BUDGET": "100EUR",
    "DEADLINE": "86400s",
    "IDLE_DELETE": "1800s",
    "AUTO_DELETE": "86400s",
    "LABELS": {"project": "fruits-pipeline"},
    "PROPERTIES": {"spark.submit.deployMode": "cluster"},
    "SPOT_NODES": 2,
}


def read(name):
    return filled(json.loads((FOLDER / name).read_text()), VALUES)


def places(content, place=()):
    """The place of every key that a schema knows."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield (*place, key)
            if key not in FREE:
                yield from places(value, (*place, key))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from places(value, (*place, index))


def misspelt(content, place):
    changed = copy.deepcopy(content)
    parent = changed
    for step in place[:-1]:
        parent = parent[step]
    key = place[-1]
    parent[key[:-2] + key[-1] + key[-2] + "x"] = parent.pop(key)
    return changed


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_google_takes_the_file_and_refuses_each_key_misspelt(file):
    content = read(file.name)
    check(file.name, content)
    keys = [place for place in places(content) if isinstance(place[-1], str)]
    assert keys
    for place in keys:
        with pytest.raises(RefusedError):
            check(file.name, misspelt(content, place))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("workflow-template.json", "SPOT", "SPOTT"),
        ("workflow-template.json", "86400s", "1 day"),
        ("cluster.json", "JUPYTER", "JUPITER"),
        ("node-role.json", "GA", "READY"),
        ("node-role.json", "logging.logEntries.create", "logging.*"),
        ("lifecycle.json", "NEARLINE", "NEARLIN"),
        ("lifecycle.json", "AbortIncompleteMultipartUpload", "AbortUpload"),
        ("budget.json", "forecasted-spend", "forecast"),
        ("bucket.json", "STANDARD", "DURABLE"),
    ],
)
def test_google_refuses_a_value_that_it_does_not_know(name, old, new):
    changed = json.loads(json.dumps(read(name)).replace(f'"{old}"', f'"{new}"'))
    with pytest.raises(RefusedError):
        check(name, changed)


def test_no_role_is_wide_and_data_is_granted_by_prefix():
    for role in ("node-role.json", "submitter-role.json"):
        granted = read(role)["includedPermissions"]
        assert granted == sorted(set(granted))
        assert not [one for one in granted if one.startswith("storage.") or "IamPolicy" in one]
        owned = [one for one in granted if one.startswith(("iam.", "compute.", "serviceusage."))]
        assert all(one.endswith((".get", ".list", ".use")) for one in owned)
    for name in ("bucket-policy.json", "staging-policy.json"):
        for binding in read(name)["bindings"]:
            assert not re.search(r"roles/(owner|editor|viewer|storage\.admin|storage\.objectAdmin)$", binding["role"])
            assert not {"allUsers", "allAuthenticatedUsers"} & set(binding["members"])
    for binding in read("bucket-policy.json")["bindings"]:
        if binding["role"].startswith("roles/storage.object"):
            assert "/objects/" in binding["condition"]["expression"]


@pytest.mark.parametrize(
    ("right", "key", "allowed"),
    [
        ("storage.objects.create", "results/fruits/run.json", True),
        ("storage.objects.get", "results", True),  # as which connectors read the folders above a file
        ("storage.objects.get", "packages", True),
        ("storage.objects.get", "packages/0123/environment.tar.gz", True),
        ("storage.objects.create", "packages/0123/environment.tar.gz", False),
        ("storage.objects.get", "results-of-others/run.json", False),
        ("storage.objects.delete", "elsewhere", False),
        ("storage.objects.list", "", True),
    ],
)
def test_a_job_may_what_it_does_and_no_more(right, key, allowed):
    policy = filled(read("bucket-policy.json"), {"BUCKET": "fruits", "SERVICE_ACCOUNT": "job"})
    assert Grants(policy, "serviceAccount:job", "fruits").allows(right, key) is allowed


def test_the_two_clusters_differ_only_by_what_notebooks_need():
    made = read("workflow-template.json")["placement"]["managedCluster"]["config"]
    kept = read("cluster.json")["config"]
    for key in ("endpointConfig", "initializationActions"):
        kept.pop(key)
    kept["softwareConfig"].pop("optionalComponents")
    kept["gceClusterConfig"].pop("metadata")
    assert made == kept


def test_a_cluster_never_stays():
    for config in (
        read("workflow-template.json")["placement"]["managedCluster"]["config"],
        read("cluster.json")["config"],
    ):
        assert set(config["lifecycleConfig"]) == {"idleDeleteTtl", "autoDeleteTtl"}
        assert config["secondaryWorkerConfig"]["preemptibility"] == "SPOT"
        assert "zoneUri" not in config["gceClusterConfig"]  # Google takes a zone that has room
    assert "dagTimeout" in read("workflow-template.json")
    assert "ttl" in read("batch.json")["environmentConfig"]["executionConfig"]


def test_buckets_are_private_and_their_temporary_parts_go():
    flags = read("bucket.json")
    assert flags["--uniform-bucket-level-access"]
    assert flags["--public-access-prevention"]
    for name in ("lifecycle.json", "staging-lifecycle.json"):
        actions = [rule["action"]["type"] for rule in read(name)["rule"]]
        assert {"AbortIncompleteMultipartUpload", "Delete"} <= set(actions)
    tiers = [rule["action"].get("storageClass") for rule in read("lifecycle.json")["rule"]]
    assert [tier for tier in tiers if tier] == ["NEARLINE", "COLDLINE"]


def test_the_budget_warns_at_half_nine_tenths_and_all_of_it():
    rules = [part["--threshold-rule"] for part in read("budget.json") if "--threshold-rule" in part]
    assert [float(rule["percent"]) for rule in rules if "basis" not in rule] == [0.5, 0.9, 1.0]


def test_the_readme_says_of_each_file_how_it_is_applied():
    told = (FOLDER / "README.md").read_text()
    assert [file.name for file in FILES if told.count(f"`{file.name}`") == 0] == []
    placeholders = {name for file in FILES for name in re.findall(r"\$\{([A-Z_]+)\}", file.read_text())}
    assert sorted(name for name in placeholders if f"`{name}`" not in told and f"{name}=" not in told) == []
