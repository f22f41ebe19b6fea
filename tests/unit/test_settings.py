"""Where settings come from, which source wins, and what each takes."""

import json
import os

import pytest

from fruits_pipeline import cli
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.settings.commands import ALL, RunCommand
from fruits_pipeline.settings.reduce import ReduceSettings
from fruits_pipeline.settings.sources import known_settings
from fruits_pipeline.settings.storage import StorageSettings

REDUCE = ("reduce", "--output-uri", "out")
CLASSIFY = ("classify", "--output-uri", "out")
EXTRACT = ("extract", "--output-uri", "out", "--data-source", "in")


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch):
    for name in [name for name in os.environ if name.startswith("FRUITS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def parse(monkeypatch, tmp_path):
    """Flat settings of a command line, with FRUITS_ variables and a settings file beside it."""
    monkeypatch.setattr(cli.logs, "configure", lambda *_: None)

    def flat(argv, variables=None, file=None):
        for name, value in (variables or {}).items():
            monkeypatch.setenv(f"FRUITS_{name.upper()}", value)
        if file is not None:
            (tmp_path / "job.json").write_text(json.dumps(file))
            argv = (*argv, "--config", str(tmp_path / "job.json"))
        return cli._parsed(list(argv)).keywords["settings"].flattened()

    return flat


@pytest.mark.parametrize(
    ("setting", "flag", "variable", "in_file", "default"),
    [
        ("driver_memory", "1g", "2g", "3g", "4g"),
        ("components", "1", "2", 3, 0.9),
        ("log_level", "DEBUG", "WARNING", "ERROR", "INFO"),
    ],
)
def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(parse, setting, flag, variable, in_file, default):
    typed = type(in_file)
    variables, file, dashed = {setting: variable}, {setting: in_file}, "--" + setting.replace("_", "-")
    assert parse(REDUCE)[setting] == default
    assert parse(REDUCE, file=file)[setting] == in_file
    assert parse(REDUCE, variables, file)[setting] == typed(variable)
    assert parse((*REDUCE, dashed, flag), variables, file)[setting] == typed(flag)


def test_the_settings_file_can_be_named_by_a_variable_and_a_flag_beats_it(parse, tmp_path):
    (tmp_path / "named.json").write_text('{"components": 7}')
    assert parse(REDUCE, {"config": str(tmp_path / "named.json")})["components"] == 7
    assert parse(REDUCE, file={"components": 8})["components"] == 8


def test_a_flag_may_be_spelled_with_underscores_and_its_value_keeps_its_own(parse):
    assert parse(("reduce", "--output_uri=a_b__c", "--log_level", "ERROR"))["output_uri"] == "a_b__c"
    assert parse(("reduce", "--output_uri", "a_b"))["output_uri"] == "a_b"


@pytest.mark.parametrize(
    "argv", [(*REDUCE, "--export", "json", "--export", "csv"), (*REDUCE, "--export=json", "--export=csv")]
)
def test_a_repeated_flag_gathers_its_values(parse, argv):
    assert parse(argv)["export"] == ["json", "csv"]


def test_repeatable_settings_come_from_a_variable_split_on_spaces_and_from_a_json_list(parse):
    assert parse(REDUCE, file={"export": ["csv", "json"]})["export"] == ["csv", "json"]
    assert parse(REDUCE, file={"export": []})["export"] == []
    assert parse(REDUCE, file={"export": "json"})["export"] == ["json"]
    assert parse(REDUCE, {"export": "json csv"})["export"] == ["json", "csv"]
    assert parse((*REDUCE, "--export", "csv"), file={"export": ["json"]})["export"] == ["csv"]


def test_each_classifier_is_fitted_once_in_one_order_however_it_is_asked_for(parse):
    both = ["random_forest", "logistic_regression"]
    backwards = ["logistic_regression", "random_forest", "logistic_regression"]
    assert parse(CLASSIFY)["classifier"] == both
    assert parse(CLASSIFY, file={"classifier": backwards})["classifier"] == both
    assert parse((*CLASSIFY, *(part for name in backwards for part in ("--classifier", name))))["classifier"] == both
    assert parse(CLASSIFY, {"classifier": "logistic_regression"})["classifier"] == ["logistic_regression"]
    assert ClassifySettings(classifier=backwards).essentials() == ClassifySettings().essentials()


@pytest.mark.parametrize(
    ("spelled", "meant"), [("1", True), ("true", True), ("YES", True), ("0", False), ("no", False)]
)
def test_a_boolean_can_be_spelled_in_a_variable(parse, spelled, meant):
    assert parse(REDUCE, {"overwrite": spelled})["overwrite"] is meant


@pytest.mark.parametrize("meant", [True, False])
def test_a_boolean_comes_from_json_and_the_flag_beats_it(parse, meant):
    assert parse(REDUCE, file={"overwrite": meant})["overwrite"] is meant
    assert parse((*REDUCE, "--overwrite"), file={"overwrite": meant})["overwrite"] is True


@pytest.mark.parametrize(("spelled", "meant"), [("0.90", 0.9), ("1.0", 1.0), (".5", 0.5), ("100", 100), ("1", 1)])
def test_components_with_a_dot_are_a_share_and_without_one_a_count(parse, spelled, meant):
    for found in (parse((*REDUCE, "--components", spelled)), parse(REDUCE, {"components": spelled})):
        assert (found["components"], type(found["components"])) == (meant, type(meant))


@pytest.mark.parametrize(("value", "meant"), [(0.9, 0.9), (1.0, 1.0), (1, 1), (100, 100), ("0.5", 0.5), ("7", 7)])
def test_components_in_json_keep_their_kind(parse, value, meant):
    found = parse(REDUCE, file={"components": value})["components"]
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("value", ["0", "0.0", "1.5", "-1", "abc", "nan", "1e-1", "", "True"])
def test_components_out_of_range_are_refused(parse, value):
    with pytest.raises(SettingsError, match=r"--components: expected a share .*, found '"):
        parse((*REDUCE, f"--components={value}"))


@pytest.mark.parametrize("value", [True, None, 0, 1.5])
def test_components_of_another_kind_are_refused(value):
    with pytest.raises(ValueError, match="expected a share in"):
        ReduceSettings(components=value)


@pytest.mark.parametrize(("spelled", "meant"), [("folder", "folder"), ("0.7", 0.7)])
def test_train_split_is_folder_or_a_fraction(parse, spelled, meant):
    assert parse((*REDUCE, "--train-split", spelled))["train_split"] == meant
    assert parse(REDUCE, file={"train_split": meant})["train_split"] == meant


@pytest.mark.parametrize("value", ["1.5", "0", "1", "Folder", "nan"])
def test_train_split_out_of_range_is_refused(parse, value):
    with pytest.raises(SettingsError, match=f"--train-split: expected 'folder' or a fraction.*, found '{value}'"):
        parse((*REDUCE, "--train-split", value))


@pytest.mark.parametrize("value", ["ftp://x", "127.0.0.1:9000", "https://"])
@pytest.mark.parametrize("setting", ["s3_endpoint_url", "gcs_endpoint_url"])
def test_an_endpoint_is_a_url(parse, setting, value):
    assert parse(REDUCE, file={setting: "http://127.0.0.1:9000/"})[setting] == "http://127.0.0.1:9000"
    with pytest.raises(SettingsError, match=f"{setting} in .*: expected a URL such as .*, found '{value}'"):
        parse(REDUCE, file={setting: value})


def test_an_endpoint_with_a_password_is_refused_without_showing_it(parse):
    with pytest.raises(SettingsError, match=r"without a user, .* found 'https://\.\.\.@host/x'") as told:
        parse((*REDUCE, "--s3-endpoint-url", "https://me:secret@host/x"))
    assert "secret" not in str(told.value)


def test_how_buckets_are_reached_is_no_part_of_a_fingerprint(parse):
    found = parse((*REDUCE, "--s3-anonymous", "--no-s3-path-style", "--s3-region", "eu-west-1"))
    assert (found["s3_anonymous"], found["s3_path_style"], found["s3_region"]) == (True, False, "eu-west-1")
    assert parse(REDUCE)["s3_path_style"] is None
    assert not StorageSettings(s3_region="eu-west-1").essentials()


def test_a_pattern_is_told_as_one(parse):
    with pytest.raises(SettingsError, match=r"--cluster-id: expected the id of a cluster, such as j-.*, found 'x'"):
        parse(("submit", "emr", *EXTRACT[1:], "--cluster-id", "x"))


def test_a_dash_as_a_value_is_a_value_like_any_other(parse):
    with pytest.raises(SettingsError, match="--sample: expected a whole number, found '-'"):
        parse((*EXTRACT, "--sample=-"))


def test_json_null_leaves_an_optional_setting_open(parse):
    assert parse(EXTRACT, file={"sample": None})["sample"] is None


def test_one_file_and_one_environment_serve_all_commands(parse):
    file = {"data_source": "in", "forest_trees": 3, "images_per_label": 9, "components": 5}
    found = parse(REDUCE, {"backbone": "xception"}, file)
    assert found["components"] == 5
    assert not found.keys() & {"data_source", "forest_trees", "images_per_label", "backbone"}


def test_a_flag_of_another_command_is_told_as_such(parse):
    told = "--data-source is no flag of reduce, but of run, extract, score, pack, calibrate and all of submit"
    with pytest.raises(SettingsError, match=told):
        parse((*REDUCE, "--data-source", "in"))


def test_a_command_without_any_flag_has_its_settings_and_its_log_level(monkeypatch):
    levels = []
    monkeypatch.setattr(cli.logs, "configure", lambda level, _: levels.append(level))
    settings = cli._parsed(["demo"]).keywords["settings"]
    assert (settings.output.overwrite, levels) == (False, ["INFO"])


def test_incidental_settings_are_no_part_of_a_fingerprint():
    command = RunCommand(output={"output_uri": "out"}, ingest={"data_source": "in"})
    assert set(command.ingest.essentials()) == {
        *("data_source", "sample", "sample_seed"),
        *("label_folder", "unlabelled", "include"),
    }
    assert set(command.reduce.essentials()) == {"components", "transform", "train_split", "labels"}
    assert not command.session.essentials()
    assert not command.output.essentials()


def test_every_setting_of_every_room_has_one_flat_name():
    command = RunCommand(output={"output_uri": "out"}, ingest={"data_source": "in"})
    fields = [name for room in command for name in type(room[1]).model_fields]
    assert len(fields) == len(set(fields)) == len(command.flattened())
    assert set(fields) < set(known_settings())


def test_every_command_has_its_settings_by_its_name():
    found = {name for name in cli.app if not name.startswith("-")} - {"submit"}
    assert {*found, *(f"submit {name}" for name in cli.submit if not name.startswith("-"))} == set(ALL)
