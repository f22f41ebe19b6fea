import re
import shlex
from pathlib import Path

import pytest

from fruits_pipeline import cli, schemas

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
LINES = re.findall(r"^(?:fruits-pipeline|spark-submit) .*$", README, re.MULTILINE)


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_readme_is_one_that_the_tool_takes(line):
    words = shlex.split(line.replace("$ACCOUNT", "123456789012"))
    if words[0] == "spark-submit":
        job = next(word for word in words if word.startswith("jobs/"))
        assert (ROOT / job).is_file()
        words = ["", Path(job).stem, *words[words.index(job) + 1 :]]
    cli._parsed(words[1:])


def test_the_readme_shows_every_command():
    shown = {shlex.split(line)[1] for line in LINES if line.startswith("fruits-pipeline")}
    assert shown == {name for name in cli.app if not name.startswith("-")}


@pytest.mark.parametrize("dataset", ["manifest", "features", "rejects", "reduced", "predictions"])
def test_the_table_of_datasets_has_the_columns_of_the_schemas(dataset):
    (columns,) = re.findall(rf"^\| `{dataset}/[^|]*\|[^|]*\| `([^`]*)` \|$", README, re.MULTILINE)
    assert [column.split()[0] for column in columns.split(", ")] == schemas.ALL[dataset].names


@pytest.mark.parametrize("dataset", ["scores", "label_scores", "confusion", "mistakes", "duplicates", "variance"])
def test_the_columns_of_the_evaluation_are_those_of_the_schemas(dataset):
    (columns,) = re.findall(rf"`{dataset}` \(`([^`]*)`\)", README)
    assert re.split(r",\s", columns) == schemas.ALL[dataset].names


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^    make (\w+)|^make (\w+)", README, re.MULTILINE))))
def test_every_make_target_of_the_readme_exists(target):
    name = next(part for part in target if part)
    assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
