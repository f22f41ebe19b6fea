"""A job from which one grant was taken away ends with 7 and names the right, whoever of it asks first."""

import itertools
from typing import Any

import pytest
from granted import JOB, actions, shipped

from servers.iam import IamFront
from servers.policies import Grants, PolicyFront

# py4j leaves its sockets to the garbage collector; any other warning stays an error.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
# What the role of EMR's nodes is granted for EMR itself, and for what is only tidied up, by statement and action.
SPARE = {
    ("ListTheBucket", "s3:GetBucketLocation"),
    ("ListTheBucket", "s3:ListBucketMultipartUploads"),
    ("ReadAndWriteOutput", "s3:AbortMultipartUpload"),
    ("ReadAndWriteOutput", "s3:ListMultipartUploadParts"),
    ("ReadWhatEmrInstalls", "s3:GetObject"),
    ("ReadWhatEmrInstalls", "s3:ListBucket"),
    ("WriteLogs", "s3:GetObject"),
    ("WriteLogs", "s3:PutObject"),
}
GRANTS = [(part["Sid"], action) for part in shipped("aws")["Statement"] for action in actions(part)]
NUMBER = itertools.count()
RUN = ("run", "--wave-images", "14")


@pytest.fixture
def run(on_s3, s3_front, server_of_keys):
    """Runs the job behind a role's policy, on an output of its own."""

    def is_there(key: str) -> bool:
        found = server_of_keys.list_objects_v2(Bucket="fruits", Prefix=key, MaxKeys=1)
        return any(item["Key"] == key for item in found.get("Contents", ()))

    def run(policy: dict[str, Any], output: str, command: tuple[str, ...] = RUN, *, names_right: bool = False):
        s3_front.clear()
        s3_front.add(IamFront("answer", policy=policy, names_right=names_right, is_there=is_there))
        return on_s3(*command, "--data-source", "s3://fruits/fruits", "--output-uri", f"s3://fruits/results/{output}")

    return run


@pytest.fixture
def output():
    """The name of an output that no other test has."""
    return f"denied-{next(NUMBER)}"


def less(*taken: tuple[str, str]) -> dict[str, Any]:
    """The role's policy without these actions of statements."""
    found = shipped("aws")
    for part in found["Statement"]:
        part["Action"] = [action for action in actions(part) if (part["Sid"], action) not in taken]
    return found


def assert_denied(ended, right: str):
    assert ended.code == 7, ended.err
    assert f"grant {right}" in ended.message, ended.message
    assert ended.message.count("\n") == 1
    assert "tried again" not in ended.err


@pytest.mark.parametrize("names_right", [True, False], ids=["told", "untold"])
@pytest.mark.parametrize(("sid", "action"), [grant for grant in GRANTS if grant not in SPARE])
def test_a_job_without_one_action_names_it(run, output, sid, action, names_right):
    assert_denied(run(less((sid, action)), output, names_right=names_right), f"{action} on arn:aws:s3:::fruits")


def test_a_job_needs_none_of_the_spare_actions(run, output):
    assert set(GRANTS) > SPARE
    ended = run(less(*SPARE), output)
    assert ended.code == 0, ended.err


# Where Spark's own readers and writers, and workers, meet the refusal.
PLACES = [
    ("s3:PutObject", "results/{output}/manifest/*", "manifest"),
    ("s3:PutObject", "results/{output}/features/*", "features"),
    ("s3:PutObject", "results/{output}/models/*", "models"),
    ("s3:GetObject", "results/{output}/features/*", "features"),
    ("s3:GetObject", "results/{output}/models/*", "models"),
    ("s3:DeleteObject", "results/{output}/models/*", "models"),
    ("s3:GetObject", "fruits/T*", ""),
]


@pytest.mark.parametrize("names_right", [True, False], ids=["told", "untold"])
@pytest.mark.parametrize(("action", "denied", "below"), PLACES)
def test_a_refusal_that_spark_meets_names_the_right(run, output, action, denied, below, names_right):
    arn = "arn:aws:s3:::fruits"
    policy = less()
    deny = {"Effect": "Deny", "Action": action, "Resource": f"{arn}/{denied.format(output=output)}"}
    policy["Statement"].append(deny)
    place = f"results/{output}/{below}" if below else "fruits/T"
    assert_denied(run(policy, output, names_right=names_right), f"{action} on {arn}/{place}")


@pytest.mark.parametrize("command", [("run", "--reader", "binaryfile"), ("pack",)], ids=" ".join)
def test_other_readers_name_the_right_too(run, output, command):
    policy = less()
    images = "arn:aws:s3:::fruits/fruits/T"
    policy["Statement"].append({"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{images}*"})
    assert_denied(run(policy, output, command), f"s3:GetObject on {images}")


@pytest.fixture
def run_on_gcs(on_gcs, gcs_front):
    """Runs the job behind a bucket's policy, on an output of its own."""

    def run(policy: dict[str, Any], output: str, *denied: tuple[str, str]):
        gcs_front.clear()
        gcs_front.add(PolicyFront("answer", grants=Grants(policy, JOB, "fruits", denied)))
        words = ("--data-source", "gs://fruits/packages/photos", "--output-uri", f"gs://fruits/results/{output}")
        return on_gcs(*RUN, *words)

    return run


BINDINGS = [
    (binding["role"], binding.get("condition", {}).get("title"))
    for binding in shipped("gcs")["bindings"]
    if JOB in binding["members"]
]
FIRST = {
    "roles/storage.legacyBucketReader": "storage.objects.list on gs://fruits",
    "roles/storage.objectViewer": "storage.objects.get on gs://fruits/packages/photos",
    "roles/storage.objectUser": "storage.objects.get on gs://fruits/results/",
}


@pytest.mark.parametrize(("role", "title"), BINDINGS)
def test_a_job_without_one_binding_names_its_right(run_on_gcs, output, role, title):
    policy = shipped("gcs")
    policy["bindings"] = [
        binding
        for binding in policy["bindings"]
        if (binding["role"], binding.get("condition", {}).get("title")) != (role, title)
        or JOB not in binding["members"]
    ]
    assert len(policy["bindings"]) == len(shipped("gcs")["bindings"]) - 1
    assert_denied(run_on_gcs(policy, output), FIRST[role])


@pytest.mark.parametrize(
    ("right", "below"),
    [
        ("storage.objects.create", "results/"),
        ("storage.objects.create", "results/{output}/features"),
        ("storage.objects.create", "results/{output}/models"),
        ("storage.objects.delete", "results/{output}/features"),
        ("storage.objects.get", "results/{output}/features"),
        ("storage.objects.get", "results/{output}/models"),
        ("storage.objects.get", "packages/photos/T"),
    ],
)
def test_a_right_less_on_gcs_is_named(run_on_gcs, output, right, below):
    place = below.format(output=output)
    assert_denied(run_on_gcs(shipped("gcs"), output, (right, place)), f"{right} on gs://fruits/{place}")


def test_a_job_on_gcs_needs_no_other_right(run_on_gcs, output):
    """Of its roles' rights it uses four: those to update objects and to look at the bucket are spare."""
    spare = ("storage.objects.update", "storage.buckets.get")
    ended = run_on_gcs(shipped("gcs"), output, *((right, "") for right in spare))
    assert ended.code == 0, ended.err
