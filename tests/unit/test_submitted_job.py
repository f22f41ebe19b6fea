import json
import re
from importlib.metadata import version

import pytest

from fruits_pipeline.cli import _parsed
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.submit.arguments import arguments
from fruits_pipeline.submit.command import submitted_command
from fruits_pipeline.submit.job import submitted_job

SHA = {"jobs/run.py": "a" * 64, "environment.tar.gz": "b" * 64, "models.tar.gz": "c" * 64}


def asked(**rooms):
    given = {"output": {"output_uri": "s3://b/out"}, "ingest": {"data_source": "s3://b/photos"}} | rooms
    return RunCommand.model_validate(given)


def bundle(folder, target="emr-7.14", arch="x86_64"):
    files = {name: {"sha256": sha, "bytes": 1} for name, sha in SHA.items()}
    index = {"version": version("fruits-pipeline"), "target": target, "arch": arch, "files": files}
    index["models"] = ["mobilenetv2-224-f32", "mobilenetv2-224-bf16"]
    folder.mkdir(exist_ok=True)
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "uploaded.json").write_text(json.dumps({"base": "s3://b/packages"}))
    return str(folder)


def test_arguments_are_what_differs_from_the_defaults_and_is_not_of_this_machine():
    run = asked(
        features={"precision": "int8", "cache_dir": "/here", "weights": "/here/w.h5"},
        classify={"classifier": ["random_forest"]},
        output={"output_uri": "s3://b/out", "overwrite": True},
        storage={"s3_profile": "mine", "s3_region": "eu-west-3"},
        session={"driver_memory": "9g", "log_level": "DEBUG"},
    )
    words = list(arguments(run))
    expected = ["--data-source", "s3://b/photos", "--precision", "int8", "--classifier", "random_forest", "--overwrite"]
    expected += ["--output-uri", "s3://b/out", "--s3-region", "eu-west-3", "--log-level", "DEBUG"]
    assert sorted(words) == sorted(expected)
    assert words[words.index("--precision") + 1] == "int8"


def test_the_files_are_those_of_the_package_by_their_content(tmp_path):
    job = submitted_job("emr", asked(), SubmitSettings(bundle=bundle(tmp_path / "p")))
    assert job.script == f"s3://b/packages/{'a' * 16}/run.py"
    assert job.archives == (
        f"s3://b/packages/{'b' * 16}/environment.tar.gz#environment",
        f"s3://b/packages/{'c' * 16}/models.tar.gz#models",
    )
    assert job.arguments[-2:] == ("--cache-dir", "models")
    assert job.log_uri == "s3://b/logs"


def test_equal_requests_have_equal_ids_and_others_have_others(tmp_path):
    submit = SubmitSettings(bundle=bundle(tmp_path / "p"))
    ids = [submitted_job("emr", asked(), submit).job_id for _ in range(2)]
    other = submitted_job("emr", asked(reduce={"components": 7}), submit).job_id
    larger = submitted_job("emr", asked(), submit.model_copy(update={"nodes": 9})).job_id
    assert ids[0] == ids[1]
    assert len({ids[0], other, larger}) == 3


def test_a_dry_run_needs_no_package_and_a_true_one_does(tmp_path):
    job = submitted_job("dataproc", asked(), SubmitSettings(bundle=str(tmp_path / "none"), dry_run=True))
    assert job.script == "${BUNDLE_URI}/jobs/run.py"
    assert not job.bundle_fault
    job = submitted_job("emr", asked(), SubmitSettings(bundle=str(tmp_path / "none")))
    assert job.script == "${BUNDLE_URI}/jobs/run.py"
    assert "fruits-pipeline bundle" in job.bundle_fault


def test_a_bundle_of_another_version_of_ours_is_told_before_any_cluster_starts(tmp_path):
    place = bundle(tmp_path / "p")
    index = json.loads((tmp_path / "p/index.json").read_text())
    (tmp_path / "p/index.json").write_text(json.dumps(index | {"version": "0.0.9"}))
    told = submitted_job("emr", asked(), SubmitSettings(bundle=place)).bundle_fault
    assert re.search(r"made by fruits-pipeline \S+, found one of 0\.0\.9 .* bundle --target emr-7\.14", told)


def test_a_package_that_was_not_uploaded_is_told(tmp_path):
    place = bundle(tmp_path / "p")
    (tmp_path / "p/uploaded.json").unlink()
    assert "bundle --upload" in submitted_job("emr", asked(), SubmitSettings(bundle=place)).bundle_fault


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ({"precision": "int8"}, "calibrate --backbone mobilenetv2 --image-size 224 and then"),
        ({"engine": "tensorflow"}, "bundle --target emr-7.14 --arch x86_64 --backbone .* --engine tensorflow"),
        ({"image_size": 160}, "found mobilenetv2-160-f32"),
        ({"backbone": "xception"}, "found xception-299-f32"),
    ],
)
def test_a_model_that_is_not_in_the_bundle_is_told_before_any_cluster_starts(tmp_path, features, told):
    with pytest.raises(SettingsError, match=told):
        submitted_job("emr", asked(features=features), SubmitSettings(bundle=bundle(tmp_path / "p")))


@pytest.mark.parametrize(
    ("submit", "told"),
    [
        ({"target": "dataproc-2.3"}, "emr-7.14, emr-spark-8.1"),
        ({"machine_type": "m7g.xlarge"}, "found one for emr-7.14 on x86_64"),
        ({"target": "emr-spark-8.1"}, "--target emr-spark-8.1"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, submit, told):
    with pytest.raises(SettingsError, match=told):
        submitted_job("emr", asked(), SubmitSettings(bundle=bundle(tmp_path / "p"), **submit))


@pytest.mark.parametrize(
    ("rooms", "flag"),
    [
        ({"output": {"output_uri": "results"}}, "--output-uri"),
        ({"output": {"output_uri": "file:///results"}}, "--output-uri"),
        ({"ingest": {"data_source": "/photos"}}, "--data-source"),
        ({"ingest": {"data_source": "s3://"}}, "--data-source"),
        ({"output": {"output_uri": "gs://b/results"}}, "--log-uri"),
    ],
)
def test_what_no_node_of_emr_reaches_is_refused_before_any_cluster_starts(rooms, flag):
    with pytest.raises(SettingsError, match=f"^{flag}: expected s3://BUCKET/FOLDER"):
        submitted_job("emr", asked(**rooms), SubmitSettings(dry_run=True))


@pytest.mark.parametrize(
    "address",
    [
        "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/photos/fruits",
        "arn:aws:s3:eu-west-1:123456789012:accesspoint/photos",
        "arn:aws:s3:::bucket/fruits",
    ],
)
def test_an_arn_is_no_address(address):
    with pytest.raises(SettingsError, match=r"expected s3://BUCKET/FOLDER, found the ARN .*; .*alias"):
        submitted_job("emr", asked(ingest={"data_source": address}), SubmitSettings(dry_run=True))


def test_a_secret_in_an_address_is_neither_sent_nor_told():
    with pytest.raises(SettingsError) as told:
        submitted_job("emr", asked(ingest={"data_source": "s3://KEY:SECRET@b/x"}), SubmitSettings(dry_run=True))
    assert "SECRET" not in str(told.value)


def test_logs_of_an_output_that_is_a_whole_bucket_stay_in_that_bucket():
    run = asked(output={"output_uri": "s3a://results/"})
    found = submitted_job("emr", run, SubmitSettings(dry_run=True))
    assert (found.output_uri, found.log_uri) == ("s3://results", "s3://results/logs")


@pytest.mark.parametrize(
    ("cloud", "machine_type"),
    [("emr", "n2-standard-8"), ("dataproc", "m6i.2xlarge"), ("emr", "m6i.0xlarge"), ("dataproc", "n2-standard-0")],
)
def test_a_machine_of_another_cloud_or_of_none_is_refused(cloud, machine_type):
    with pytest.raises(SettingsError, match=r"^--machine-type: expected"):
        submitted_job(cloud, asked(), SubmitSettings(dry_run=True, machine_type=machine_type))


@pytest.mark.parametrize(
    "base", ["gs://b/packages", "file:///packages", "s3://b/my packages", "s3://b/a,b", "s3://b/#1"]
)
def test_a_package_where_emr_cannot_fetch_it_is_refused(tmp_path, base):
    place = bundle(tmp_path / "p")
    (tmp_path / "p/uploaded.json").write_text(json.dumps({"base": base}))
    with pytest.raises(SettingsError, match=r"^--bundle: expected one in s3://BUCKET/FOLDER"):
        submitted_job("emr", asked(), SubmitSettings(bundle=place))


@pytest.mark.parametrize(
    "rooms",
    [
        {"storage": {"s3_path_style": False, "s3_requester_pays": True, "s3_endpoint_url": "https://s3.example.com"}},
        {"ingest": {"data_source": 's3://b/l\'été $HOME "x" -y', "sample": 3, "sample_seed": -5}},
        {"reduce": {"components": 7, "export": ["json", "csv"]}, "features": {"decode_timeout_s": 1e-5}},
        {"reduce": {"components": 1e-5}},
        {"reduce": {"components": 1.0, "train_split": 0.8, "labels": "s3://b/l.csv"}, "classify": {"forest_seed": -1}},
    ],
)
def test_the_job_reads_from_its_flags_what_was_asked_here(rooms):
    run = asked(**rooms)
    assert _parsed(["run", *arguments(run)]).keywords["settings"] == run


@pytest.mark.parametrize("name", ["index.json", "uploaded.json"])
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"base": "s3://b", "version": "0", "more": 1}', "\x00"])
def test_a_package_of_another_version_or_a_damaged_one_is_told(tmp_path, name, content):
    place = bundle(tmp_path / "p")
    (tmp_path / "p" / name).write_text(content)
    told = rf"expected \S+/p/{name} as .* run fruits-pipeline bundle"
    assert re.search(told, submitted_job("emr", asked(), SubmitSettings(bundle=place)).bundle_fault)
    with pytest.raises(SubmissionError, match=told):
        submitted_job("emr", asked(), SubmitSettings(bundle=place, dry_run=True))


SUBMIT = ("submit", "emr", "--data-source", "s3://b/new", "--output-uri", "s3://b/scored", "--dry-run")


def submitted(*words):
    settings = _parsed([*SUBMIT, *words]).keywords["settings"]
    return submitted_job("emr", submitted_command(settings), settings.submit)


def test_a_score_is_submitted_with_its_own_script_and_flags():
    words = ("--job", "score", "--model", "s3://b/out", "--max-drift", "0.7", "--batch-rows", "32")
    job = submitted(*words, "--classifier", "random_forest", "--label-folder", "first")
    assert job.script == "${BUNDLE_URI}/jobs/score.py"
    told = dict(zip(job.arguments[::2], job.arguments[1::2], strict=True))
    assert told == {
        "--data-source": "s3://b/new", "--output-uri": "s3://b/scored", "--label-folder": "first", "--batch-rows": "32",
        "--model": "s3://b/out", "--max-drift": "0.7", "--classifier": "random_forest",
    }  # fmt: skip  # because pairs of flag and value read best side by side
    ScoreCommand.model_validate(_parsed(["score", *job.arguments]).keywords["settings"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--job", "score"), "--model expects the output of a finished run"),
        (("--job", "score", "--model", "results"), "--model: expected s3://BUCKET/FOLDER"),
        (("--job", "score", "--model", "s3://b/out", "--components", "9", "--forest-trees", "3"), "--components"),
        (
            ("--job", "score", "--model", "s3://b/out", "--precision", "int8"),
            "no flags of --job run, found --precision",
        ),
        (("--model", "s3://b/out"), "expected no flags of --job score, found --model"),
    ],
)
def test_flags_of_another_job_are_refused(words, told):
    with pytest.raises(SettingsError, match=told):
        submitted(*words)


@pytest.mark.parametrize("output", ["s3://b/photos", "s3://b/photos/out", "s3://b"])
def test_results_among_the_images_are_refused_before_a_cluster_is_made(output):
    with pytest.raises(SettingsError, match="expected --output-uri outside --data-source"):
        submitted_job("emr", asked(output={"output_uri": output}), SubmitSettings(dry_run=True))


def test_logs_of_emr_beside_results_on_another_cloud_want_an_address():
    run = asked(ingest={"data_source": "gs://b/photos"}, output={"output_uri": "gs://b/out"})
    with pytest.raises(SettingsError, match="--log-uri: expected s3://BUCKET/FOLDER for EMR's logs"):
        submitted_job("emr", run, SubmitSettings(dry_run=True))


def test_a_secret_in_a_property_of_a_submission_is_told(caplog):
    submitted_job("emr", asked(session={"spark_conf": ["spark.my.password=SECRET"]}), SubmitSettings(dry_run=True))
    assert "spark.my.password: its value is part of the request, which the cloud shows" in caplog.text
    assert "SECRET" not in caplog.text
