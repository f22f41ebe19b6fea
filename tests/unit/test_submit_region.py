"""The region of a submission: searched where the vendors' own tools search."""

import logging

import pytest

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.commands import RunCommand
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.submit.job import submitted_job
from fruits_pipeline.submit.region import Region, aws_region, google_region

AWS = """[default]
region = eu-west-3
[profile lab]
region = us-east-1
s3 =
  max_concurrency = 2
[profile bare]
output = json
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder, and an environment, of somebody who has set nothing up."""
    for name in (
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE"),
        *("AWS_SHARED_CREDENTIALS_FILE", "CLOUDSDK_CONFIG", "CLOUDSDK_ACTIVE_CONFIG_NAME"),
        *("CLOUDSDK_DATAPROC_REGION", "CLOUDSDK_COMPUTE_REGION"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_where_nothing_says_it_is_one_in_the_eu(home):
    assert home.is_dir()
    assert aws_region(None) == Region("eu-west-1", "default")
    assert google_region() == Region("europe-west1", "default")


def test_aws_environment_comes_before_a_profile(home, monkeypatch):
    write(home / ".aws/config", AWS)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert aws_region("lab") == Region("eu-north-1", "AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    assert aws_region("lab") == Region("ap-south-1", "AWS_REGION")


@pytest.mark.parametrize(
    ("profile", "environment", "expected"),
    [
        (None, {}, ("eu-west-3", "default")),
        ("lab", {"AWS_PROFILE": "bare"}, ("us-east-1", "lab")),
        (None, {"AWS_PROFILE": "lab"}, ("us-east-1", "lab")),
        (None, {"AWS_DEFAULT_PROFILE": "lab", "AWS_PROFILE": "bare"}, ("us-east-1", "lab")),
    ],
)
def test_a_profile_has_its_region(home, monkeypatch, profile, environment, expected):
    write(home / ".aws/config", AWS)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    region, name = expected
    assert aws_region(profile) == Region(region, f"profile {name}")


def test_a_profile_without_a_region_leaves_the_default(home):
    write(home / ".aws/config", AWS)
    assert aws_region("bare") == Region("eu-west-1", "default")


def test_files_elsewhere_are_read_and_the_credentials_win_as_in_botocore(home, monkeypatch):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(write(home / "elsewhere/config", AWS)))
    monkeypatch.setenv(
        "AWS_SHARED_CREDENTIALS_FILE", str(write(home / "elsewhere/keys", "[lab]\nregion = eu-south-1\n"))
    )
    assert aws_region("lab") == Region("eu-south-1", "profile lab")
    assert aws_region(None) == Region("eu-west-3", "profile default")


def test_it_is_the_region_that_boto3_finds(home, monkeypatch):
    boto3 = pytest.importorskip("boto3")
    write(home / ".aws/config", AWS)
    write(home / ".aws/credentials", "[lab]\nregion = eu-south-1\n")
    for profile in ("lab", "default", None):
        assert aws_region(profile).name == boto3.Session(profile_name=profile).region_name
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert aws_region("lab").name == boto3.Session(profile_name="lab").region_name


def test_gcloud_active_configuration_has_its_region(home, monkeypatch):
    folder = home / ".config/gcloud"
    write(folder / "configurations/config_default", "[core]\nproject = p\n[compute]\nregion = us-central1\n")
    assert google_region() == Region("us-central1", "compute/region of gcloud's configuration default")
    write(folder / "configurations/config_lab", "[dataproc]\nregion = europe-west4\n[compute]\nregion = asia-east1\n")
    write(folder / "active_config", "lab")
    assert google_region() == Region("europe-west4", "dataproc/region of gcloud's configuration lab")
    monkeypatch.setenv("CLOUDSDK_ACTIVE_CONFIG_NAME", "default")
    assert google_region().name == "us-central1"
    monkeypatch.setenv("CLOUDSDK_COMPUTE_REGION", "us-west1")
    assert google_region() == Region("us-west1", "CLOUDSDK_COMPUTE_REGION")
    monkeypatch.setenv("CLOUDSDK_DATAPROC_REGION", "us-east4")
    assert google_region() == Region("us-east4", "CLOUDSDK_DATAPROC_REGION")


def test_the_region_global_that_has_no_machines_is_passed_over(home):
    write(home / ".config/gcloud/configurations/config_default", "[dataproc]\nregion = global\n")
    assert google_region() == Region("europe-west1", "default")


def test_a_file_that_cannot_be_read_is_told(home):
    file = write(home / ".aws/config", "region = eu-west-1\n")
    with pytest.raises(SettingsError, match=rf"expected sections in {file}, found .*; correct it, or give --region"):
        aws_region(None)


def test_a_submission_takes_it_and_says_why(home, monkeypatch, caplog):
    assert home.is_dir()
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    rooms = {"output": {"output_uri": "s3://b/out"}, "ingest": {"data_source": "s3://b/photos"}}
    run = RunCommand.model_validate(rooms)
    with caplog.at_level(logging.INFO):
        assert submitted_job("emr", run, SubmitSettings(dry_run=True)).region == "us-east-1"
        assert submitted_job("emr", run, SubmitSettings(dry_run=True, region="eu-west-2")).region == "eu-west-2"
        assert submitted_job("dataproc", run, SubmitSettings(dry_run=True)).region == "europe-west1"
    assert caplog.messages == [
        "region=us-east-1 from='AWS_REGION'",
        "region=eu-west-2 from='--region'",
        "region=europe-west1 from='default'",
    ]
