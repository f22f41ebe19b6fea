"""Which connectors and which of their settings an address needs; no JVM."""

import os
import stat
import sys
from pathlib import Path

import pytest

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.session import connectors
from fruits_pipeline.session.buckets import hadoop_properties
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.jvm_credentials import environment

S3 = frozenset({"s3"})
HADOOP = "3.4.2"


def test_local_addresses_need_no_connector() -> None:
    assert connectors.packages(["file"], "3.5.8") == []
    assert connectors.packages(["file"], "3.3.0") == []
    assert connectors.resolution([]) == {}
    assert hadoop_properties(frozenset({"file"}), StorageSettings(), HADOOP) == {}


@pytest.mark.parametrize(("version", "jar"), [("3.5.3", "hadoop-aws:3.3.4"), ("4.1.2", "hadoop-aws:3.4.2")])
def test_the_connector_is_of_the_hadoop_that_spark_was_built_with(version: str, jar: str) -> None:
    assert f"org.apache.hadoop:{jar}" in connectors.packages(["s3"], version)


def test_an_unknown_line_of_spark_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"expected Spark 3\.5 or 4\.1 for s3 addresses, found 3\.3\.0"):
        connectors.packages(["s3"], "3.3.0")


def test_a_connector_among_sparks_jars_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "hadoop-aws-3.3.4.jar").touch()
    assert connectors.shipped_with_spark(tmp_path) == {"s3"}


def test_credentials_are_searched_by_the_sdk_of_sparks_own_hadoop(tmp_path: Path) -> None:
    (tmp_path / "jars").mkdir()
    for version, package in (("3.3.4", "com.amazonaws.auth"), ("3.4.2", "software.amazon.awssdk.auth")):
        jar = tmp_path / "jars" / f"hadoop-client-api-{version}.jar"
        jar.touch()
        found = hadoop_properties(S3, StorageSettings(), connectors.hadoop_version(tmp_path))
        assert found["fs.s3a.aws.credentials.provider"].startswith(f"{package}.")
        jar.unlink()


def test_a_missing_connector_names_the_flags(golden) -> None:
    home = str(Path("~").expanduser())
    settings = connectors.resolution(["a:b:1"])["spark.jars.ivySettings"]
    text = "\n\n".join(str(connectors.missing(scheme, "3.5.8")) for scheme in ("s3", "gs"))
    golden("connector_missing", text, ivysettings=settings, home=home)
    assert Path(settings).is_file()


def test_settings_reach_s3a() -> None:
    settings = StorageSettings(
        s3_endpoint_url="http://127.0.0.1:9000", s3_region="eu-west-1", s3_sse_kms_key_id="alias/fruits"
    )
    found = hadoop_properties(S3, settings, HADOOP)
    assert found["fs.s3a.endpoint"] == "http://127.0.0.1:9000"
    assert found["fs.s3a.path.style.access"] == "true"
    assert found["fs.s3a.connection.ssl.enabled"] == "false"
    assert found["fs.s3a.endpoint.region"] == "eu-west-1"
    assert found["fs.s3a.server-side-encryption.key"] == "alias/fruits"


def test_amazon_itself_is_reached_by_tls_and_host_style() -> None:
    found = hadoop_properties(S3, StorageSettings(), HADOOP)
    assert found["fs.s3a.path.style.access"] == "false"
    assert found["fs.s3a.connection.ssl.enabled"] == "true"
    assert "fs.s3a.endpoint" not in found


def test_settings_reach_the_google_connector() -> None:
    settings = StorageSettings(
        gcs_endpoint_url="http://127.0.0.1:4443", gcs_anonymous=True, gcs_billing_project="payer"
    )
    found = hadoop_properties(frozenset({"gs"}), settings, HADOOP)
    assert found["fs.gs.storage.root.url"] == "http://127.0.0.1:4443"
    assert found["fs.gs.auth.null.enable"] == "true"
    assert found["fs.gs.requester.pays.project.id"] == "payer"
    assert found["fs.gs.create.items.conflict.check.enable"] == "false"


def test_credentials_of_a_profile_with_a_process_are_handed_on(tmp_path: Path, monkeypatch) -> None:
    script = tmp_path / "login"
    script.write_text(
        f"#!{sys.executable}\n"
        'print(\'{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "SK", "SessionToken": "T"}\')\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    config = tmp_path / "config"
    config.write_text(f"[profile work]\ncredential_process = {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the environment")
    found = environment(S3, StorageSettings(s3_profile="work"))
    assert found == {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_SESSION_TOKEN": "T"}


def test_anonymous_access_hands_on_nothing(monkeypatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    assert environment(S3, StorageSettings(s3_anonymous=True)) == {}


def test_the_login_of_gcloud_is_found(tmp_path: Path, monkeypatch) -> None:
    login = tmp_path / "application_default_credentials.json"
    login.write_text("{}")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    gs = frozenset({"gs"})
    assert environment(gs, StorageSettings()) == {"GOOGLE_APPLICATION_CREDENTIALS": str(login)}
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", os.devnull)
    assert environment(gs, StorageSettings()) == {}
