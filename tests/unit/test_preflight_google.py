"""The preflight on Google Cloud, by the command as people type it, before servers that check every request."""

import json
import time
from importlib.metadata import version
from unittest import mock

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from grpc import StatusCode

from clouds.dataproc_server import CREATING, Fault, Refusal, dataproc_server
from clouds.google_project import google_project
from fruits_pipeline.cli import main
from fruits_pipeline.clusters.templates import load
from fruits_pipeline.errors import SubmissionError
from fruits_pipeline.settings.google import GoogleSettings
from fruits_pipeline.submit.google import Google
from fruits_pipeline.submit.google_rest import Project
from fruits_pipeline.submit.preflight.google_capacity import Group, disks

ACCOUNT = "job@project.iam.gserviceaccount.com"
ADDRESSES = ["--data-source", "gs://photos/fruits", "--output-uri", "gs://results/fruits", "--region", "europe-west1"]
OWN = ["--gcp-project", "project", "--service-account", ACCOUNT, "--subnetwork", "fruits"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)


def checks(text, verdict):
    return sorted(line.split(": ")[1] for line in text.splitlines() if line.startswith(f"{verdict}: "))


def test_every_fault_on_dataproc_is_told_at_once_with_its_remedy_and_nothing_is_made(capsys, golden, tmp_path):
    with google_project() as project, dataproc_server() as server:
        project.apis = {"compute.googleapis.com"}
        project.buckets = {"results": {"location": "EUROPE-WEST1", "locationType": "region"}}
        project.objects = {"results/fruits/run.json": b"somebody's"}
        project.accounts, project.may_act_as = {ACCOUNT: {"disabled": True}}, False
        project.limits = {"N2_CPUS": 8.0, "CPUS": 12.0, "SSD_TOTAL_GB": 100.0, "PREEMPTIBLE_CPUS": 0.0}
        project.everywhere = {"CPUS_ALL_REGIONS": 20.0}
        project.used = {"CPUS_ALL_REGIONS": 9.0}
        project.machine_types = {"b": {"n2-standard-4"}, "c": {"n2-standard-8"}}
        project.subnetworks = {"fruits": False}
        asked = ["submit", "dataproc", *ADDRESSES, *OWN, "--dataproc-endpoint-url", server.url]
        asked += ["--master-machine-type", "n2-standard-8"]
        assert main([*asked, "--check"]) == 6
        told = capsys.readouterr()
        assert server.received == []
        assert main(asked) == 6
        again = capsys.readouterr().err
    golden("preflight_dataproc", told.out, folder=tmp_path)
    assert checks(told.out, "fault") == [
        *("APIs", "bucket photos", "machine types", "output", "package"),
        *("quota CPUS_ALL_REGIONS", "quota N2_CPUS", "quota SSD_TOTAL_GB"),
        *(f"service account {ACCOUNT}", f"service account {ACCOUNT}"),
    ]
    assert checks(told.out, "warning") == ["image", "subnetwork fruits"]
    for line in (line for line in told.out.splitlines() if line.startswith("fault: ")):
        assert "; " in line
        assert line in told.err
        assert line in again
    assert project.faults == []
    assert not {name for name, _ in server.received} & set(CREATING)


def lines(text):
    return {line.split(": ")[1]: line for line in text.splitlines()}


@pytest.fixture
def uploaded(tmp_path):
    """Puts a bundle for a target into ``dist``, and gives its files as objects of the bucket ``results``."""

    def upload(target="dataproc-2.3", script="run"):
        names = (f"jobs/{script}.py", "environment.tar.gz", "models.tar.gz")
        files = {name: {"sha256": f"{number}" * 64, "bytes": 1} for number, name in enumerate(names)}
        index = {"version": version("fruits-pipeline"), "target": target, "arch": "x86_64", "files": files}
        folder = tmp_path / "dist" / f"{target}-x86_64"
        folder.mkdir(parents=True)
        (folder / "index.json").write_text(json.dumps(index | {"models": ["mobilenetv2-224-f32"]}))
        (folder / "uploaded.json").write_text('{"base": "gs://results/packages"}')
        keys = (f"{number}" * 16 + "/" + name.rpartition("/")[2] for number, name in enumerate(names))
        return {f"results/packages/{key}": b"-" for key in keys}

    return upload


@pytest.fixture
def whole(uploaded):
    """Everything that a submission needs, in a free trial."""

    def fill(project, **bundle):
        project.apis |= {"dataprocrm.googleapis.com"}
        region = {"location": "EUROPE-WEST1", "locationType": "region"}
        project.buckets = {"results": region, "photos": region}
        project.objects = uploaded(**bundle)
        project.accounts = {ACCOUNT: {"email": ACCOUNT}}
        project.limits = {"N2_CPUS": 12.0, "CPUS": 12.0, "SSD_TOTAL_GB": 250.0, "PREEMPTIBLE_CPUS": 0.0}
        project.limits["DISKS_TOTAL_GB"] = 2048.0
        project.everywhere = {"CPUS_ALL_REGIONS": 20.0}
        project.machine_types = {"b": {"n2-standard-4"}, "c": set()}
        project.subnetworks = {"fruits": True}
        project.images = {"dataproc-2-3-deb12-20261101-000000-rc01"}

    return fill


def test_in_a_free_trial_the_default_cluster_starts_and_its_growth_is_a_warning(capsys, whole):
    with google_project() as project, dataproc_server() as server:
        whole(project)
        asked = ["submit", "dataproc", *ADDRESSES, *OWN, "--dataproc-endpoint-url", server.url]
        assert main([*asked, "--check"]) == 0
        told = capsys.readouterr().out
        assert main(asked) == 0
        made = [name for name, _ in server.received if name in CREATING]
    assert checks(told, "fault") == checks(told, "not known") == []
    assert checks(told, "warning") == ["quota N2_CPUS"]
    assert "up to 16 are asked for, 12 of 12 free: it stays smaller" in told
    assert project.faults == []
    assert made == ["CreateAutoscalingPolicy", "InstantiateInlineWorkflowTemplate"]


# Permissions named otherwise than the methods that need them; buckets and Google's images grant theirs themselves.
_PERMISSIONS = {
    "compute.machineTypes.aggregatedList": "compute.machineTypes.list",
    "iam.projects.serviceAccounts.get": "iam.serviceAccounts.get",
}
_ELSEWHERE = ("storage.", "compute.images.list", "iam.projects.serviceAccounts.testIamPermissions")


def test_who_submits_may_make_every_call_of_the_preflight(whole):
    with google_project() as project:
        whole(project)
        assert main(["submit", "dataproc", *ADDRESSES, *OWN, "--check"]) == 0
    granted = set(load("dataproc/submitter-role.json", {})["includedPermissions"])
    wanted = {_PERMISSIONS.get(method, method) for method in project.asked if not method.startswith(_ELSEWHERE)}
    assert wanted - granted == set()
    assert "compute.regions.get" in wanted


@pytest.mark.parametrize(("target", "wanted"), [("2.3", 2), ("3.0", 3)])
def test_a_batch_is_looked_at_as_a_batch(capsys, whole, target, wanted):
    with google_project() as project, dataproc_server() as server:
        whole(project, target=f"dataproc-serverless-{target}", script="batch")
        asked = ["submit", "dataproc-serverless", *ADDRESSES, *OWN, "--dataproc-endpoint-url", server.url]
        asked += ["--target", f"dataproc-serverless-{target}"]
        assert main([*asked, "--check"]) == 0
        assert server.received == []
    told = capsys.readouterr().out
    assert project.asked.count("serviceusage.services.get") == wanted
    assert checks(told, "fault") == []
    assert {"quota CPUS", "quota CPUS_ALL_REGIONS", "package", "output"} <= lines(told).keys()
    assert lines(told)["quota DISKS_TOTAL_GB"] == "ok: quota DISKS_TOTAL_GB: 1000 of 2048 free"
    assert "machine types" not in lines(told)


def test_every_fault_of_a_batch_is_told_at_once(capsys):
    with google_project() as project, dataproc_server() as server:
        project.apis = {"dataproc.googleapis.com", "compute.googleapis.com"}
        project.limits, project.everywhere = {"CPUS": 8.0, "DISKS_TOTAL_GB": 500.0}, {"CPUS_ALL_REGIONS": 8.0}
        asked = ["submit", "dataproc-serverless", *ADDRESSES, *OWN, "--dataproc-endpoint-url", server.url]
        assert main([*asked, "--target", "dataproc-serverless-3.0"]) == 6
        assert not {name for name, _ in server.received} & set(CREATING)
    told = capsys.readouterr().err.replace("\n  ", "\n")
    assert checks(told, "fault") == [
        *("APIs", "bucket photos", "bucket results", "package", "quota CPUS", "quota CPUS_ALL_REGIONS"),
        *("quota DISKS_TOTAL_GB", f"service account {ACCOUNT}", "subnetwork fruits"),
    ]
    assert "quota DISKS_TOTAL_GB: expected at least 750 free, found 500 of 500; " in told
    assert "gcloud services enable dataprocrm.googleapis.com --project=project" in told


def test_calls_that_are_not_allowed_are_told_and_keep_nobody_from_submitting(capsys, whole):
    ids = (
        "serviceusage.services.get",
        "storage.buckets.get",
        "iam.projects.serviceAccounts.get",
        "compute.regions.get",
    )
    ids += ("compute.machineTypes.aggregatedList", "compute.subnetworks.get", "compute.images.list")
    with google_project() as project:
        whole(project)
        project.refused = dict.fromkeys(ids, (403, "forbidden"))
        assert main(["submit", "dataproc", *ADDRESSES, *OWN, "--check"]) == 0
    told = capsys.readouterr().out
    account = f"service account {ACCOUNT}"
    expected = ["APIs", "bucket photos", "bucket results", "image", "machine types", "quotas", account]
    assert checks(told, "not known") == [*expected, "subnetwork"]
    assert "not known: quotas: who submits is not allowed to call compute.regions.get" in told
    assert f"ok: {account}: who submits may run jobs as it" in told


def test_an_api_that_is_not_enabled_is_one_fault_and_the_rest_is_not_known(capsys, whole):
    with google_project() as project:
        whole(project)
        project.apis -= {"compute.googleapis.com"}
        compute = ("compute.regions.get", "compute.machineTypes.aggregatedList", "compute.subnetworks.get")
        project.refused = dict.fromkeys((*compute, "compute.images.list"), (403, "accessNotConfigured"))
        assert main(["submit", "dataproc", *ADDRESSES, *OWN, "--check"]) == 6
    told = capsys.readouterr().out
    assert checks(told, "fault") == ["APIs"]
    assert "not known: quotas: the API of compute.regions.get is not enabled" in told


def test_a_bucket_elsewhere_costs_and_is_no_fault(capsys, whole):
    with google_project() as project:
        whole(project)
        project.buckets["photos"] = {"location": "US", "locationType": "multi-region"}
        project.buckets["results"] = {"location": "EU", "locationType": "multi-region"}
        assert main(["submit", "dataproc", *ADDRESSES, *OWN, "--check"]) == 0
    told = lines(capsys.readouterr().out)
    facts = "warning: bucket photos: in us, the job in europe-west1; traffic between regions costs and is slower: "
    assert told["bucket photos"] == facts + "take a bucket in europe-west1"
    assert told["bucket results"] == "ok: bucket results: in eu"


def test_machines_whose_quota_compute_does_not_tell_are_not_known(capsys, whole):
    with google_project() as project:
        whole(project)
        project.machine_types = {"b": {"c4-standard-4", "n2-standard-4"}}
        asked = ["submit", "dataproc", *ADDRESSES, *OWN, "--machine-type", "c4-standard-4", "--check"]
        assert main(asked) == 0
    told = lines(capsys.readouterr().out)
    assert told["quota C4_CPUS"].startswith("not known")
    assert told["quota HDB_TOTAL_GB"].startswith("not known")
    assert "c4-standard-4 with hyperdisk-balanced" in told["disks"]


def test_machines_that_count_otherwise_are_named_where_they_would_fit(capsys, whole):
    with google_project() as project:
        whole(project)
        project.limits["N2_CPUS"] = 8.0
        assert main(["submit", "dataproc", *ADDRESSES, *OWN, "--check"]) == 6
        assert "or take e2 machines, which count as CPUS" in lines(capsys.readouterr().out)["quota N2_CPUS"]
        project.machine_types = {"b": {"e2-standard-4"}}
        e2 = ["--machine-type", "e2-standard-4", "--master-machine-type", "e2-standard-4"]
        assert main(["submit", "dataproc", *ADDRESSES, *OWN, *e2, "--check"]) == 0


def test_a_disk_that_a_machine_does_not_take_is_a_fault():
    (found,) = disks([Group("c4-standard-8", "pd-balanced", 50, 2, 2)])
    assert str(found).startswith("fault: disks: expected hyperdisk-balanced with c4-standard-8, found pd-balanced; ")


def test_a_running_cluster_is_looked_at_instead_of_quotas(capsys, whole):
    with google_project() as project, dataproc_server() as server:
        whole(project)
        asked = ["submit", "dataproc", *ADDRESSES, *OWN, "--dataproc-endpoint-url", server.url, "--cluster", "standing"]
        assert main([*asked, "--check"]) == 6
        assert "fault: cluster standing: expected it in europe-west1, found none; " in capsys.readouterr().out
        server.clusters.add("standing")
        assert main([*asked, "--check"]) == 0
        told = capsys.readouterr().out
        assert main([*asked, "--target", "dataproc-3.0", "--check"]) == 6
        assert "expected image 3.0, found 2.3.9-debian12" in capsys.readouterr().out
    assert lines(told)["cluster standing"] == "ok: cluster standing: running, image 2.3.9-debian12"
    assert not any("quota" in check for check in lines(told))


def test_a_region_that_there_is_not_is_a_fault(capsys, whole):
    with google_project() as project:
        whole(project)
        project.refused = {"compute.regions.get": (404, "notFound")}
        assert main(["submit", "dataproc", *ADDRESSES, *OWN, "--check"]) == 6
    line = lines(capsys.readouterr().out)["quotas"]
    assert line.endswith("found 404: notFound; correct --region or --gcp-project")


def test_without_credentials_nothing_else_is_asked(capsys):
    refused = DefaultCredentialsError("Your default credentials were not found.")
    with google_project() as project, mock.patch("google.auth.default", side_effect=refused):
        assert main(["submit", "dataproc", *ADDRESSES, *OWN, "--check"]) == 6
    told = capsys.readouterr().out
    assert checks(told, "fault") == ["credentials", "package"]
    assert "gcloud auth application-default login" in lines(told)["credentials"]
    assert project.asked == []


def test_without_a_project_the_flag_is_named(capsys):
    with google_project(), mock.patch("google.auth.default", return_value=(AnonymousCredentials(), None)):
        assert main(["submit", "dataproc", *ADDRESSES, "--check"]) == 6
    assert "--gcp-project: expected a project" in lines(capsys.readouterr().out)["credentials"]


@pytest.mark.parametrize(
    ("place", "kind", "region", "told"),
    [
        (
            "EUROPE-WEST4",
            "region",
            "europe-west1",
            "warning: bucket photos: in europe-west4, the job in europe-west1; ",
        ),
        ("EU", "multi-region", "europe-west2", "warning: bucket photos: in eu, the job in europe-west2; "),
        ("EU", "multi-region", "europe-west6", "warning: bucket photos: in eu, the job in europe-west6; "),
        ("NAM4", "dual-region", "us-central1", "ok: bucket photos: in nam4"),
    ],
)
def test_only_a_region_is_named_as_the_regions_remedy(capsys, whole, place, kind, region, told):
    with google_project() as project:
        whole(project)
        project.buckets["photos"] = {"location": place, "locationType": kind}
        main(["submit", "dataproc", *ADDRESSES[:-1], region, *OWN, "--check"])
    line = lines(capsys.readouterr().out)["bucket photos"]
    assert line.startswith(told)
    assert ("give --region europe-west4" in line) == (kind == "region")


def test_a_running_cluster_that_may_not_be_looked_at_is_not_known(capsys, whole):
    with google_project() as project, dataproc_server() as server:
        whole(project)
        server.faults.append(Fault(Refusal(StatusCode.PERMISSION_DENIED, "no"), 1, ("GetCluster",)))
        asked = ["submit", "dataproc", *ADDRESSES, *OWN, "--dataproc-endpoint-url", server.url, "--cluster", "standing"]
        assert main([*asked, "--check"]) == 0
    line = lines(capsys.readouterr().out)["cluster standing"]
    assert line == "not known: cluster standing: who submits is not allowed to call dataproc.get_cluster"


def test_calls_of_a_user_count_for_the_project_that_is_asked_about(tmp_path, monkeypatch):
    """Else for that of gcloud itself, which has few APIs enabled."""
    real = google.auth.default
    user = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r", "token": "t"}
    (tmp_path / "adc.json").write_text(json.dumps(user | {"expiry": "2999-01-01T00:00:00Z"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))
    with google_project() as project, mock.patch("google.auth.default", real):
        asked = Project(Google(GoogleSettings(gcp_project="project"), "europe-west1"), "europe-west1")
        asked.get("serviceusage.services.get", "projects/project/services/compute.googleapis.com")
    assert project.quota_projects == {"project"}


def test_posts_are_retried_while_google_is_busy(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: None)
    method = "iam.projects.serviceAccounts.testIamPermissions"
    with google_project() as project:
        project.refused = {method: (503, "backendError")}
        asked = Project(Google(GoogleSettings(gcp_project="project"), "europe-west1"), "europe-west1")
        asked._session.mount("http://", asked._session.get_adapter("https://"))
        with pytest.raises(SubmissionError, match="found 503"):
            asked.post(method, f"projects/-/serviceAccounts/{ACCOUNT}:testIamPermissions", {"permissions": ["x"]})
    assert project.asked == [method] * 4


@pytest.mark.parametrize("size", ["300", "300 apples"])
def test_disks_of_a_size_that_nobody_can_read_are_not_known(capsys, whole, size):
    with google_project() as project:
        whole(project, target="dataproc-serverless-2.3", script="batch")
        asked = ["submit", "dataproc-serverless", *ADDRESSES, *OWN, "--target", "dataproc-serverless-2.3"]
        assert main([*asked, "--spark-conf", f"spark.dataproc.executor.disk.size={size}", "--check"]) == 0
    told = lines(capsys.readouterr().out)
    assert told["quotas"] == f"not known: quotas: expected the size of a batch's disk as 250g is, found {size!r}"
    assert "quota CPUS" in told
