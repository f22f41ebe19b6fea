"""``config/dataproc/account.sh`` on a stand-in of gcloud: asks nothing, mends, removes, and says what it leaves."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from clouds.gcloud import BUDGET, COMMANDS, WIDE, Project
from fruits_pipeline.clusters.folder import config_folder
from pasted import paste

SCRIPT = config_folder() / "dataproc" / "account.sh"
NAMES = {"PROJECT": "my-project", "BUCKET": "fruits", "PAUSE_S": "0"}
UP = {
    ("billing budgets", BUDGET),
    ("iam roles", "fruitsNode"),
    ("iam roles", "fruitsSubmitter"),
    ("iam service-accounts", "fruits-job"),
    ("storage buckets", "fruits"),
    ("storage buckets", "fruits-photos"),
    ("storage buckets", "fruits-staging"),
}
# Without bindings they grant nothing, and a deleted one's name is taken for 37 days:
# https://cloud.google.com/iam/docs/creating-custom-roles#deleting-custom-role.
ROLES = {one for one in UP if one[0] == "iam roles"}
BINDINGS = {
    (
        "my-project",
        "serviceAccount:fruits-job@my-project.iam.gserviceaccount.com",
        "projects/my-project/roles/fruitsNode",
    ),
    ("my-project", "user:owner@example.org", "projects/my-project/roles/fruitsSubmitter"),
}
# In the order of the script; budgets have a test of their own.
CHANGES = [
    "services enable",
    "iam service-accounts create",
    "iam roles create",
    "projects add-iam-policy-binding",
    "iam service-accounts add-iam-policy-binding",
    "compute networks subnets update",
    "storage buckets create",
    "storage buckets update",
    "storage buckets set-iam-policy",
    "storage buckets add-iam-policy-binding",
]


@pytest.fixture
def start(tmp_path):
    """Starts the script; gives what it said."""

    def run(project, verb, **environment):
        def answer(words):
            return project.answer(words[1:], tmp_path)

        return paste(f"bash {SCRIPT} {verb}\n", tmp_path, answer, **NAMES, **environment)

    return run


def made(project):
    return {one for one in project.made if one[0] != "api"}


def test_an_empty_project_gets_all_of_it(start):
    project = Project()
    said = start(project, "up")
    assert made(project) == UP
    assert project.bindings >= BINDINGS
    assert set(project.policies) == {"fruits", "fruits-staging"}
    assert "--staging-bucket fruits-staging" in said.splitlines()[-1]


def test_it_never_asks_sets_nothing_and_names_the_project_each_time(start):
    project = Project()
    start(project, "up")
    start(project, "down")
    for words in project.seen:
        assert words[0] == "--quiet"
        assert "--project=my-project" in words or words[1:3] == ["config", "get"]


def test_the_budget_has_the_billing_accounts_own_currency_and_a_quota_project(start):
    """Without a code an amount is in that currency: https://cloud.google.com/sdk/gcloud/reference/billing/budgets/create."""
    project = Project()
    start(project, "up")
    start(project, "up", BUDGET="250")
    assert project.amounts == ["250"]  # the first one stands in the file of flags
    (created,) = [words for words in project.seen if words[2:5] == ["billing", "budgets", "create"]]
    assert "--billing-project=my-project" in created


def test_a_second_start_makes_nothing_new(start):
    project = Project()
    start(project, "up")
    before = made(project), set(project.bindings)
    project.seen.clear()
    start(project, "up")
    assert (made(project), project.bindings) == before
    assert not [words for words in project.seen if words[-1] == "create" or "create" in words[2:6]]


@pytest.mark.parametrize("command", CHANGES)
def test_a_start_that_was_cut_off_is_mended_by_the_next(start, command):
    project = Project(fails_at=command)
    with pytest.raises(AssertionError, match="PERMISSION_DENIED"):
        start(project, "up")
    assert made(project) < UP
    project.fails_at = None
    start(project, "up")
    assert made(project) == UP
    assert project.bindings >= BINDINGS


def test_it_waits_until_what_it_enabled_is_known(start):
    project = Project(lag=5)
    assert "waiting for gcloud iam service-accounts create: SERVICE_DISABLED" in start(project, "up")
    assert made(project) == UP


def test_waiting_ends(start):
    with pytest.raises(AssertionError, match="SERVICE_DISABLED"):
        start(Project(lag=50), "up", TRIES="3")


def test_down_removes_all_but_what_holds_images_and_results_and_says_so(start):
    project = Project()
    start(project, "up")
    project.full = {"fruits", "fruits-photos", "fruits-staging"}
    said = start(project, "down")
    assert made(project) == {("storage buckets", "fruits"), ("storage buckets", "fruits-photos"), *ROLES}
    assert not project.bindings & BINDINGS
    assert "left: gs://fruits (HTTPError 409" in said
    assert "left: gs://fruits-photos (HTTPError 409" in said
    start(project, "down")
    start(project, "down", DELETE_BUCKETS="yes")
    assert made(project) == ROLES


def test_what_was_removed_is_made_again(start):
    project = Project()
    start(project, "up")
    start(project, "down")
    start(project, "up")
    assert made(project) == UP
    assert project.bindings >= BINDINGS


def test_a_role_that_somebody_deleted_is_had_back(start):
    project = Project(deleted={"fruitsNode"})
    start(project, "up")
    assert made(project) == UP


def test_down_that_is_refused_does_not_pass_for_done(start):
    project = Project()
    start(project, "up")
    project.fails_at = "iam service-accounts delete"
    with pytest.raises(AssertionError, match="PERMISSION_DENIED"):
        start(project, "down")


@pytest.mark.parametrize(
    ("project", "told"),
    [
        (Project(billing_account=""), "my-project has no billing account that you may see"),
        (Project(fails_at="billing budgets list"), "PERMISSION_DENIED"),
        (Project(fails_at="billing budgets create"), "PERMISSION_DENIED"),
    ],
)
def test_an_owner_who_has_no_rights_on_bills_gets_the_rest_and_is_told(start, project, told):
    said = start(project, "up")
    assert told in said
    assert "no budget, as said above; all else is made" in said
    assert made(project) == UP - {("billing budgets", BUDGET)}


def test_region_and_submitter_are_gclouds_own_and_a_robot_is_told_from_a_person(start):
    robot = "ci@my-project.iam.gserviceaccount.com"
    project = Project(configured={"core/account": robot, "compute/region": "europe-north1"})
    said = start(project, "up")
    assert "region=europe-north1" in said
    assert f"submitter=serviceAccount:{robot}" in said


@pytest.mark.parametrize(
    ("verb", "environment", "told"),
    [
        ("", {}, "expected up or down, found nothing"),
        ("over", {}, "expected up or down, found over"),
        ("up", {"PROJECT": ""}, "PROJECT: expected the id of a project, found nothing; export PROJECT=my-project"),
        (
            "up",
            {"GONE": "yes"},
            "SUBMITTER: expected an account, found nobody logged in; gcloud auth login --update-adc",
        ),
    ],
)
def test_what_it_cannot_do_is_told_before_anything_is_made(tmp_path, verb, environment, told):
    project = Project(configured={} if environment else {"core/account": "owner@example.org"})
    names = {**NAMES, **environment}
    with pytest.raises(AssertionError, match=told):
        paste(f"bash {SCRIPT} {verb}\n", tmp_path, lambda words: project.answer(words[1:], tmp_path), **names)
    assert project.made == set()


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="this machine lacks gcloud")
def test_gcloud_itself_has_the_commands_and_their_flags():
    """Against the tool's own table for completion."""
    home = Path(shutil.which("gcloud")).resolve().parents[1]
    spec = importlib.util.spec_from_file_location("completions", home / "data" / "cli" / "gcloud_completions.py")
    if spec is None or not Path(spec.origin).exists():
        pytest.skip("this gcloud has no table for completion")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tree = module.STATIC_COMPLETION_CLI_TREE
    assert set(tree["flags"]) >= WIDE - {"--filter"}
    for command, flags in COMMANDS.items():
        node = tree
        for word in command.split():
            node = node["commands"][word]
        assert flags <= set(node["flags"]), command
