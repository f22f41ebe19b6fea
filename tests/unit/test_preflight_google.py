"""The preflight on Google Cloud, by the command as people type it, before servers that check every request."""

import pytest

from clouds.dataproc_server import CREATING, dataproc_server
from clouds.google_project import google_project
from fruits_pipeline.cli import main

ACCOUNT = "job@project.iam.gserviceaccount.com"
ADDRESSES = ["--data-source", "gs://photos/fruits", "--output-uri", "gs://results/fruits", "--region", "europe-west1"]
OWN = ["--gcp-project", "project", "--service-account", ACCOUNT, "--subnetwork", "fruits"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)


def checks(text, verdict):
    return sorted(line.split(": ")[1] for line in text.splitlines() if line.startswith(f"{verdict}: "))


def test_every_fault_on_dataproc_is_told_at_once_with_its_remedy_and_nothing_is_made(capsys):
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
    assert checks(told.out, "fault") == [
        *("APIs", "bucket photos", "machine types", "output", "package"),
        *("quota CPUS_ALL_REGIONS", "quota N2_CPUS", "quota SSD_TOTAL_GB"),
        *(f"service account {ACCOUNT}", f"service account {ACCOUNT}", "subnetwork fruits"),
    ]
    assert checks(told.out, "warning") == ["image"]
    for line in (line for line in told.out.splitlines() if line.startswith("fault: ")):
        assert "; " in line
        assert line in told.err
        assert line in again
    assert project.faults == []
    assert not {name for name, _ in server.received} & set(CREATING)
