"""The command ``report``: what it prints, its exit codes, opening the page, and one output beside another."""

import json
import re
import shutil
import subprocess
import sys
import webbrowser

import pytest

from fruits_pipeline import cli
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.report.changes import changes_of
from fruits_pipeline.report.load import load_results
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state import layout
from fruits_pipeline.state.record import load_record
from fruits_pipeline.storage.opening import open_store
from page_outputs import page_output

STORAGE = StorageSettings()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two outputs of the same images by other models, and one of other images."""
    folder = tmp_path_factory.mktemp("compare")
    for name, seed in (("here", 7), ("there", 7), ("elsewhere", 9)):
        page_output(folder / name, 8, seed)
    shutil.rmtree(folder / "there")
    page_output(folder / "there", 8, predicted=3, source=folder / "here-images")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """The first output, to be written to."""
    shutil.copytree(made / "here", tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def report(folder, capsys):
    """Runs ``report`` on that output: exit code, stdout and stderr."""

    def run(*argv):
        code = cli.main(["report", "--output-uri", str(folder), "--log-level", "ERROR", *map(str, argv)])
        return (code, *capsys.readouterr())

    return run


def results(folder):
    store = open_store(str(folder))
    return load_results(store, load_record(store) or {}, STORAGE)


def test_it_prints_what_it_wrote_and_puts_the_verdicts_into_run_json(report, folder, golden):
    code, out, err = report()
    assert (code, err) == (0, "")
    golden("report_command", re.sub(r"size .*MB", "size        {size} MB", out), output=folder)
    record = json.loads((folder / "run.json").read_text())
    assert [verdict["name"] for verdict in record["verdicts"]] == re.findall(r"^\w+ +([a-z-]+): ", out, re.MULTILINE)
    assert record["command"] == "run"


def test_a_verdict_can_end_it_with_exit_code_3_when_all_is_written(report, folder):
    code, out, err = report("--fail-on", "guessing", "--fail-on", "leaks")
    assert code == 3
    assert "leaks (bad): " in err
    assert "guessing (" not in err
    assert out.startswith("report")
    assert (folder / layout.REPORT).is_file()
    assert report("--fail-on", "guessing")[0] == 0
    assert report("--fail-on", "any")[0] == 3
    assert report("--fail-on", "leaks", "--warn-leak-share", "1")[0] == 0


def test_a_verdict_that_there_is_not_is_told_with_those_that_there_are(report, golden):
    code, _, err = report("--fail-on", "leeks", "--warn-few-images", "0", "--report-images", "some")
    assert code == 2
    golden("report_settings", err)


@pytest.mark.parametrize("command", ["run", "classify", "demo"])
def test_commands_that_write_the_page_take_its_settings_but_for_those_of_report_alone(command, monkeypatch):
    monkeypatch.setattr(cli.logs, "configure", lambda *_: None)
    source = ["--data-source", "x"] if command == "run" else []
    words = [command, "--output-uri", "o", *source, "--fail-on", "any", "--report-images", "none"]
    assert cli._parsed(words).keywords["settings"].report.fail_on == ("any",)
    with pytest.raises(SettingsError, match=r"compare"):
        cli._parsed([*words, "--compare", "other"])


def test_only_a_page_on_this_machine_is_opened(report, folder, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    report()
    assert opened == []
    report("--open")
    assert opened == [f"file://{folder}/report.html"]


def test_an_output_that_there_is_not_is_told_and_not_made(capsys, tmp_path):
    assert cli.main(["report", "--output-uri", str(tmp_path / "none")]) == 5
    assert "expected classifiers and predictions" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_it_needs_neither_spark_nor_tensorflow(folder):
    code = (
        "import sys; from fruits_pipeline.cli import main; "
        f"main(['report', '--output-uri', {str(folder)!r}]); "
        "print(*({'pyspark', 'py4j', 'tensorflow', 'openvino', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "matplotlib"


def test_two_outputs_of_the_same_images_are_compared_image_by_image(report, made, folder):
    changes = changes_of(results(folder), results(made / "there"))
    assert changes.is_same_side
    assert (changes.both, changes.changed) == (64, len(changes.rows))
    assert changes.mended + changes.spoilt <= changes.changed
    assert 0 < changes.changed < 64
    assert report("--compare", made / "there")[0] == 0
    text = (folder / layout.REPORT).read_text()
    assert f"{changes.changed} of 64 images that both predicted" in text
    assert "not judged on the same images" not in text
    assert "What has changed?" in text
    assert str(made) not in text


def test_outputs_of_other_images_are_said_not_to_be_comparable(report, made, folder):
    changes = changes_of(results(folder), results(made / "elsewhere"))
    assert (changes.both, changes.judged_here, changes.judged_there, changes.is_same_side) == (0, 24, 24, False)
    assert report("--compare", made / "elsewhere")[0] == 0
    assert "not judged on the same images" in (folder / layout.REPORT).read_text()


def test_images_that_were_moved_are_known_by_their_content(made, folder, tmp_path):
    shutil.copytree(made / "here-images", tmp_path / "moved-images")
    page_output(tmp_path / "moved", 8, source=tmp_path / "moved-images")
    changes = changes_of(results(folder), results(tmp_path / "moved"))
    assert (changes.both, changes.changed, changes.is_same_side) == (64, 0, True)


def test_more_images_than_are_compared_are_told(made, folder):
    changes = changes_of(results(folder), results(made / "there"), most=10)
    assert (changes.both, changes.is_cut) == (10, True)


def test_settings_that_differ_are_told(report, made, folder):
    marker = json.loads((made / "there" / "_state" / "classify.json").read_text())
    other = folder.with_name("other")
    shutil.copytree(made / "there", other)
    marker["settings"] = {"forest_trees": 7, "regression_l2": 0.5}
    (other / "_state" / "classify.json").write_text(json.dumps(marker))
    report("--compare", other)
    text = (folder / layout.REPORT).read_text()
    section = text[text.index('id="compare"') :]
    assert re.search(r"forest_trees</th><td[^>]*><bdi>100</bdi></td><td[^>]*><bdi>7</bdi>", section)
    assert re.search(r"regression_l2</th><td[^>]*><bdi>not known</bdi></td><td[^>]*><bdi>0.5</bdi>", section)
    assert "data_source" not in section
