"""Spark properties of the user's own, from the flag to what is submitted."""

import pytest

from fruits_pipeline.cli import _parsed
from fruits_pipeline.clusters.machines import machine
from fruits_pipeline.clusters.sizing import sizes
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.session.java import Java
from fruits_pipeline.session.local import JVM_OPTIONS, local_properties, own_session_properties
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.spark_conf import with_own
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.submit.job import submitted_job
from fruits_pipeline.submit.spark_properties import spark_properties

SUBMIT = ["submit", "dataproc-serverless", "--data-source", "gs://b/in", "--output-uri", "gs://b/out", "--dry-run"]
CUT = sizes(SubmitSettings(), machine("m6i.2xlarge"), "4g")


def local(*given):
    settings = SessionSettings(spark_conf=given)
    return own_session_properties(settings, Java("java", 8), frozenset({"file"}), StorageSettings(), fits=False)


def test_own_properties_travel_as_properties_and_not_as_words_of_the_command(monkeypatch):
    monkeypatch.setenv("FRUITS_REGION", "europe-west1")
    settings = _parsed([*SUBMIT, "--spark-conf", "spark.a=1,2", "--spark-conf=spark.b=x=y z"]).keywords["settings"]
    job = submitted_job("dataproc-serverless", settings, settings.submit)
    assert (job.properties["spark.a"], job.properties["spark.b"]) == ("1,2", "x=y z")
    assert not any("spark" in word for word in job.arguments)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("spark.a", "expected KEY=VALUE with a key of Spark"),
        ("hadoop.a=1", "expected KEY=VALUE with a key of Spark"),
    ],
)
def test_another_form_is_refused(given, told):
    with pytest.raises(SettingsError, match=told):
        _parsed([*SUBMIT, "--spark-conf", given])


def test_an_own_property_wins_where_the_job_goes_on_and_a_warning_says_where_it_would_not(caplog):
    own = {"spark.serializer": "a.B", "spark.yarn.maxAppAttempts": "4", "spark.archives": "s3://b/a.zip"}
    found = spark_properties("emr", CUT, own)
    assert found["spark.serializer"] == "a.B"
    assert found["spark.yarn.maxAppAttempts"] == "1"
    assert "spark.archives" not in found
    assert caplog.messages == [
        "spark.archives=s3://b/a.zip is not taken: the job needs a value of its own",
        "spark.yarn.maxAppAttempts=4 is not taken: the job needs 1",
    ]


def test_a_value_that_is_ours_already_warns_of_nothing(caplog):
    spark_properties("emr", CUT, {"spark.yarn.maxAppAttempts": "1"})
    assert not caplog.messages


def test_options_of_java_are_added_to_ours_of_a_local_spark():
    ours = local_properties(SessionSettings(), Java("java", 8), fits=False)[JVM_OPTIONS]
    assert local(f"{JVM_OPTIONS}=-Dmine=1")[JVM_OPTIONS] == f"{ours} -Dmine=1"


def test_a_local_spark_takes_own_properties():
    found = local("spark.ui.enabled=true", "spark.sql.shuffle.partitions=7")
    assert (found["spark.ui.enabled"], found["spark.sql.shuffle.partitions"]) == ("true", "7")


@pytest.mark.parametrize(
    ("key", "flag"),
    [("spark.executor.instances", "--executors"), ("spark.emr-serverless.executor.disk", "--worker-disk-gb")],
)
def test_a_submission_refuses_what_a_flag_sizes_and_a_local_spark_takes_it(key, flag):
    with pytest.raises(SettingsError, match=f"--spark-conf: expected {flag} in place of {key}"):
        spark_properties("emr", CUT, {key: "100"})
    assert local(f"{key}=100")[key] == "100"


def test_executors_stay_those_that_were_estimated(caplog):
    found = spark_properties("emr", CUT, {"spark.dynamicAllocation.enabled": "false"})
    assert found["spark.dynamicAllocation.enabled"] == "true"
    assert caplog.messages == ["spark.dynamicAllocation.enabled=false is not taken: the job needs true"]


def test_a_secret_is_taken_and_neither_written_nor_logged(caplog):
    words = [
        "run",
        "--data-source",
        "in",
        "--output-uri",
        "out",
        "--spark-conf",
        "spark.hadoop.fs.s3a.secret.key=SECRET",
    ]
    settings = _parsed(words).keywords["settings"]
    assert settings.flattened()["spark_conf"] == ["spark.hadoop.fs.s3a.secret.key=(redacted)"]
    assert local(*settings.session.spark_conf)["spark.hadoop.fs.s3a.secret.key"] == "SECRET"
    with_own({}, {"spark.my.password": "SECRET"}, {"spark.my.password"})
    assert "SECRET" not in caplog.text
