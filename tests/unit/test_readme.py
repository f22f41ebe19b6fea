"""The README and the documents: commands that the tool takes, tables as the schemas have them, targets that exist."""

import re
import shlex
from pathlib import Path

import pytest

from fruits_pipeline import cli, schemas

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = "\n".join([README, *(file.read_text() for file in sorted((ROOT / "docs").glob("*.md")))])
LINES = sorted(set(re.findall(r"^(?:fruits-pipeline|spark-submit) .*$", DOCUMENTS, re.MULTILINE)))
COMMANDS = {name for name in cli.app if not name.startswith("-")}
# The command of a picture that the README has a place for; its lines are skipped where it is not there yet.
REPORT = {"report"} - COMMANDS
# Headings of the tables in RESULTS.md, each with the columns that stand below it.
SECTIONS = re.split(r"^#+ ", (ROOT / "docs" / "RESULTS.md").read_text(), flags=re.MULTILINE)


def words_of(line):
    """The words of a line without its comment; those of a job begin with its command."""
    filled = (
        line.partition(" | ")[0]
        .replace("$ACCOUNT", "123456789012")
        .replace("$APPLICATION", "00f1")
        .replace("$CLUSTER", "j-1")
    )
    words = shlex.split(filled, comments=True)
    if words[0] == "fruits-pipeline":
        return words[1:]
    job = next(word for word in words if word.startswith("jobs/"))
    assert (ROOT / job).is_file()
    return [Path(job).stem, *words[words.index(job) + 1 :]]


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_documents_is_one_that_the_tool_takes(line):
    words = words_of(line)
    if words[0] in REPORT:
        pytest.skip("the command is not there yet")
    cli._parsed(words)


def test_the_documents_show_every_command():
    assert {words_of(line)[0] for line in LINES if line.startswith("fruits-pipeline")} - REPORT == COMMANDS


def test_the_table_of_the_commands_has_all_in_the_order_of_the_work():
    usage = (ROOT / "docs" / "USAGE.md").read_text()
    (table,) = re.findall(r"^\| command \|.*?\n\n", usage, re.MULTILINE | re.DOTALL)
    shown = [name for name in re.findall(r"^\| `(\w+)`", table, re.MULTILINE) if name not in REPORT]
    assert shown[2:] == [name for name in dict.fromkeys(n.split()[0] for n in cli.commands.ALL) if name in shown[2:]]
    assert set(shown) == COMMANDS


def columns_of(table):
    """The columns that RESULTS.md has of a table, in order."""
    (section,) = [part for part in SECTIONS if f"`{table}`" in part.partition("\n")[0].split(", ")]
    rows = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return [column for row in rows for column in re.findall(r"`(\w+)`", row)]


@pytest.mark.parametrize("name", schemas.ALL)
def test_every_table_stands_in_the_results_column_by_column_and_in_order(name):
    documented = columns_of(name)
    assert len(set(documented)) == len(documented)
    assert [column for column in documented if column in schemas.ALL[name].names] == schemas.ALL[name].names


def test_what_score_writes_stands_in_the_results_column_by_column():
    (section,) = [part for part in SECTIONS if part.startswith("`predictions` of `score`")]
    rows = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    assert [column for row in rows for column in re.findall(r"`(\w+)`", row)] == schemas.SCORED.names


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^    make (\w+)|^make (\w+)", README, re.MULTILINE))))
def test_every_make_target_of_the_readme_exists(target):
    name = next(part for part in target if part)
    assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
