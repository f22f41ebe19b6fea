"""Command lines as users see them: help, exit codes, the last line on stderr."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from unittest.mock import MagicMock

import pytest

from fruits_pipeline import cli, errors
from fruits_pipeline.settings import commands
from fruits_pipeline.settings.room import GROUPS

HEAVY = ("pyspark", "py4j", "tensorflow", "keras", "openvino", "h5py", "boto3", "google.cloud", "matplotlib", "jinja2")
MODELS = {
    "run": commands.RunCommand,
    "extract": commands.ExtractCommand,
    "pack": commands.PackCommand,
    "reduce": commands.ReduceCommand,
    "report": commands.ReportCommand,
    "classify": commands.ClassifyCommand,
    "score": commands.ScoreCommand,
    "predict": commands.PredictCommand,
    "export": commands.ExportCommand,
    "weights": commands.WeightsCommand,
    "calibrate": commands.CalibrateCommand,
    "demo": commands.DemoCommand,
    "verify": commands.VerifyCommand,
    "bundle": commands.BundleCommand,
    "submit emr": commands.SubmitEmrCommand,
    "submit emr-serverless": commands.SubmitEmrServerlessCommand,
    "submit dataproc": commands.SubmitDataprocCommand,
    "submit dataproc-serverless": commands.SubmitDataprocServerlessCommand,
}


@pytest.fixture(autouse=True)
def _no_settings_of_the_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("FRUITS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def doing(monkeypatch):
    """Runs ``main`` on a command whose work is the given function."""

    def run(work):
        monkeypatch.setattr(cli, "_parsed", lambda _tokens: work)
        return cli.main(["run"])

    return run


def raising(error):
    def work():
        raise error

    return work


def help_of(*argv):
    """What ``argv --help`` prints in a process of its own, and which heavy packages it imported."""
    code = (
        "import sys; from fruits_pipeline.cli import main\n"
        "try: sys.exit(main())\n"
        f"finally: print('imported', *({set(HEAVY)!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *argv, "--help"],
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    *text, imported = done.stdout.splitlines()
    return done.returncode, "\n".join(text), imported, done.stderr


def test_help_lists_the_commands_in_the_order_of_the_work_and_imports_nothing_heavy():
    code, text, imported, fault = help_of()
    assert (code, imported.split(), fault) == (0, ["imported"], "")
    assert re.findall(r"^│ ([a-z]+)  ", text, re.MULTILINE) == list(dict.fromkeys(n.split()[0] for n in commands.ALL))


def test_help_lists_the_clouds_in_the_order_of_the_documents():
    shown = re.findall(r"^│ ([a-z-]+)  ", help_of("submit")[1], re.MULTILINE)
    assert [f"submit {name}" for name in shown] == [name for name in commands.ALL if name.startswith("submit ")]


@pytest.mark.parametrize("name", MODELS)
def test_help_of_a_command_shows_its_own_settings_in_the_order_of_the_flow(name):
    code, text, imported, fault = help_of(*name.split())
    assert (code, imported.split(), fault) == (0, ["imported"], "")
    shown = re.findall(r"^│ \*? *--([a-z0-9-]+)", text, re.MULTILINE)
    fields = MODELS[name].model_fields.values()
    rooms = [field.annotation for field in fields]
    settings = {field.replace("_", "-") for room in rooms for field in room.model_fields}
    # Which `submit` alone gives, to its job.
    assert sorted(shown) == sorted(settings - {"rates"})
    assert "[default: (" not in text  # a tuple is Python's
    groups = re.findall(r"^╭─ ([\w ]+?) ─", text, re.MULTILINE)
    assert groups == [group for group in GROUPS if group in groups]
    assert set(groups) == {group.name for field in fields for group in field.metadata[-1].group}


def test_no_argument_at_all_prints_the_help(capsys):
    assert cli.main([]) == 0
    assert "Usage: fruits-pipeline COMMAND" in capsys.readouterr().out


def test_every_fault_of_every_source_is_told_at_once(golden, capsys, monkeypatch, tmp_path):
    config = tmp_path / "job.json"
    config.write_text(json.dumps({"data_sorce": "in", "export": ["xml", "csv"], "overwrite": "perhaps"}))
    monkeypatch.setenv("FRUITS_BACKBON", "xception")
    monkeypatch.setenv("FRUITS_IMAGE_SIZE", "31")
    argv = ["run", "--config", str(config), "--componets", "3", "--components", "1.5", "--train-split", "7"]
    assert cli.main([*argv, "--sample", "x", "--classifier", "svm", "--log-level", "loud", "--driver-memory", "4"]) == 2
    golden("settings_all_faults", capsys.readouterr().err, config=config)


@pytest.mark.parametrize(
    ("name", "content"), [("not_found", None), ("not_json", "{'a': 1}"), ("not_an_object", "[1, 2]")]
)
def test_a_settings_file_that_cannot_be_used_is_told(golden, capsys, tmp_path, name, content):
    config = tmp_path / "job.json"
    if content is not None:
        config.write_text(content)
    assert cli.main(["reduce", "--output-uri", "out", "--config", str(config)]) == 2
    golden(f"config_{name}", capsys.readouterr().err, config=config)


@pytest.mark.parametrize(
    ("name", "argv"),
    [
        ("unknown_command", ["extarct", "--data-source", "in"]),
        ("stray_argument", ["extract", "photos", "--output-uri", "out"]),
        ("flag_without_value", ["reduce", "--output-uri"]),
        ("flag_given_twice", ["reduce", "--output-uri", "a", "--output-uri", "b"]),
        ("no_classifier", ["classify", "--output-uri", "out", "--config", "{config}"]),
        ("json_of_another_shape", ["reduce", "--output-uri", "out", "--config", "{nested}"]),
    ],
)
def test_a_command_line_that_cannot_be_understood_is_told(golden, capsys, tmp_path, name, argv):
    files = {"config": tmp_path / "job.json", "nested": tmp_path / "nested.json"}
    files["config"].write_text('{"classifier": []}')
    files["nested"].write_text('{"components": [0.9]}')
    assert cli.main([part.format(**files) for part in argv]) == 2
    golden(name, capsys.readouterr().err, **files)


JOB = ("run", "--data-source", "in", "--output-uri", "out")


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["help"], "help: no such command; there are demo, run, extract,"),
        (["runn", *JOB[1:]], "runn: no such command; did you mean run?"),
        (
            ["submit", "aws"],
            "submit aws: no such command; there are emr, emr-serverless, dataproc, dataproc-serverless",
        ),
        ([*JOB, "--componets", "9"], "--componets: no such flag of run; did you mean --components?"),
        ([*JOB, "--verbose"], "--verbose: no such flag of run\n"),
        ([*JOB, "--no-overwrite"], "--no-overwrite: no such flag of run; did you mean --overwrite?"),
        ([*JOB, "--model", "m"], "--model is no flag of run, but of predict, score, export and all of submit"),
        ([*JOB, "-o", "out"], "-o: no such flag; flags begin with two dashes"),
        ([*JOB, "--overwrite", "yes"], "'yes': expected a flag before it"),
        ([*JOB, "--export", "csv", "json"], "'json': expected a flag before it"),
        ([*JOB, "--weights"], "--weights: expected a value behind it, found none"),
        ([*JOB, "--data-source", "x"], "--data-source: expected it once, found it several times"),
        ([*JOB, "--s3-path-style=perhaps"], "--s3-path-style: expected true or false, found 'perhaps'"),
        ([*JOB, "--sample", "ten"], "--sample: expected a whole number, found 'ten'"),
        ([*JOB, "--decode-timeout-s", "1m"], "--decode-timeout-s: expected a number, found '1m'"),
        (["run", "--data-source", "", *JOB[3:]], "--data-source: expected text that is not empty, found ''"),
        (["submit", "emr", *JOB[1:], "--cluster-id", "x"], "--cluster-id: expected the id of a cluster, such as j-"),
        (
            ["submit", "emr", *JOB[1:], "--name", "My job"],
            "--name: expected at most 40 small letters, digits and dashes",
        ),
        (
            ["submit", "emr-serverless", *JOB[1:], "--execution-role-arn", "admin"],
            "--execution-role-arn: expected arn:aws:iam::ACCOUNT:role/NAME, found 'admin'",
        ),
    ],
)
def test_what_a_new_user_types_wrongly_is_told_in_plain_words(capsys, argv, told):
    assert cli.main(argv) == 2
    assert f"\n  {told}" in capsys.readouterr().err


def test_a_wrong_value_is_told_by_the_name_of_what_gave_it(capsys, monkeypatch, tmp_path):
    config = tmp_path / "job.json"
    config.write_text('{"components": "many", "sample": 0, "output-uri": "out"}')
    monkeypatch.setenv("FRUITS_COMPONENTS", "lots")
    monkeypatch.setenv("FRUITS_BATCH_ROWS", "0")
    assert cli.main([*JOB, "--config", str(config), "--batch-rows", "-1"]) == 2
    assert capsys.readouterr().err.splitlines()[1:-1] == [
        f"  output-uri in {config}: no such setting; did you mean output_uri?",
        f"  sample in {config}: expected a number greater than or equal to 1, found '0'",
        "  --batch-rows: expected a number greater than or equal to 1, found '-1'",
        "  FRUITS_COMPONENTS: expected a share such as 0.90 or a count such as 100, found 'lots'",
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SettingsError("a"), 2),
        (errors.InputError("a"), 3),
        (errors.ModelError("a"), 4),
        (errors.DatasetError("a"), 5),
        (errors.StorageError("a"), 7),
    ],
)
def test_a_foreseen_error_is_one_line_and_its_exit_code(doing, capsys, error, code):
    assert doing(raising(error)) == code
    assert capsys.readouterr().err == "error: a\n"


def test_success_is_0_and_silent_on_stderr(doing, capsys):
    assert doing(lambda: None) == 0
    assert capsys.readouterr().err == ""


def test_ctrl_c_that_a_command_handles_itself_is_130_and_says_how_to_go_on(doing, golden, capsys):
    assert doing(raising(KeyboardInterrupt())) == 130
    golden("interrupted", capsys.readouterr().err)


def test_a_bug_is_70_with_a_stack_trace_and_advice_in_the_last_line(doing, golden, capsys):
    assert doing(raising(ZeroDivisionError("by zero"))) == 70
    fault = capsys.readouterr().err
    assert fault.startswith("Traceback (most recent call last):\n")
    assert "ZeroDivisionError: by zero\n" in fault
    golden("bug", fault.splitlines()[-1])


def test_a_failure_of_the_system_is_7_without_a_stack_trace(doing, golden, capsys):
    assert doing(raising(OSError(28, "No space left on device"))) == 7
    golden("system_failure", capsys.readouterr().err)


def test_submit_gets_signals_as_exceptions_because_it_asks_and_cancels(monkeypatch, capsys):
    def followed(*_anything):
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr("fruits_pipeline.submit.job.submitted_job", lambda *_: None)
    monkeypatch.setattr("fruits_pipeline.submit.command.submitted_command", lambda _: None)
    monkeypatch.setattr("fruits_pipeline.submit.submission.estimate_and_submit", followed)
    monkeypatch.setattr(cli, "_parsed", lambda _: lambda: cli._submit(MagicMock(), "emr", MagicMock(), MagicMock()))
    with pytest.raises(errors.Interrupted) as ended:
        cli.main([])
    assert ended.value.exit_code == 143
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_with_its_code_and_says_how_to_go_on(golden, number, code):
    work = (
        "import sys, time; from fruits_pipeline import cli\n"
        "cli._parsed = lambda _: lambda: [print('begun', flush=True), time.sleep(60)]\n"
        "sys.exit(cli.main(['run']))"
    )
    with subprocess.Popen([sys.executable, "-c", work], stdout=-1, stderr=-1, text=True) as command:
        assert command.stdout.readline() == "begun\n"
        command.send_signal(number)
        golden("interrupted", command.communicate(timeout=30)[1])
    assert command.returncode == code
