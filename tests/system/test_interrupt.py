"""Ctrl-C on a terminal, at different moments of one run that is started again after each."""

import os
import random
import re
import shutil
import time

import pytest
from running import BIN, SMALL
from terminal import Terminal

from outputs import record

NOISE = re.compile(r"Traceback|Py4J|Exception|java", re.IGNORECASE)
# Sequences that move the cursor and colour the text of the progress bar.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WAVES = 4
# Five seconds are promised; a busy machine gets more.
LIMIT_S = 15
rng = random.Random(20)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "output"


@pytest.fixture
def images(tmp_path, sample):
    """Two labels of the sample: 32 images."""
    for folder in ("Training/Apple", "Training/Kiwi", "Test/Apple", "Test/Kiwi"):
        shutil.copytree(sample / folder, tmp_path / "images" / folder)
    return tmp_path / "images"


@pytest.fixture
def started(images, output, cache_dir):
    """Starts the run on a terminal."""

    def start():
        words = ["run", "--data-source", images, "--output-uri", output, "--wave-images", 32 // WAVES]
        words += ["--classifier", "logistic_regression"]
        variables = os.environ | SMALL | {"FRUITS_CACHE_DIR": str(cache_dir), "PATH": f"{BIN}:{os.environ['PATH']}"}
        terminals.append(Terminal([BIN / "fruits-pipeline", *words], variables))
        return terminals[-1]

    terminals = []
    yield start
    for terminal in terminals:
        terminal.process.kill()


def interrupted(terminal: Terminal, output) -> None:
    """Presses Ctrl-C, and holds what follows against what is promised."""
    assert terminal.process.poll() is None, terminal.shown
    before = len(terminal.shown)
    began_s = time.monotonic()
    terminal.ctrl_c()
    code, seconds = terminal.wait(), time.monotonic() - began_s
    after = CONTROL.sub("", terminal.shown[before:])
    assert code == 130, after
    assert seconds < LIMIT_S
    assert after.splitlines()[-1] == "interrupted: the same command resumes", after
    assert not NOISE.search(after), after
    found = record(output)
    assert (found["status"], found["exit_code"], found["error"]) == ("failed", 130, "Interrupted: by SIGINT")


def test_ctrl_c_ends_with_130_and_one_line_at_any_moment_and_the_command_resumes(started, output):
    markers = output / "_state/waves"
    moments = {
        "start": (lambda _: (output / "_state").is_dir(), 3.0),
        "features": (lambda _: any(markers.glob("*.json")), 1.0),
        "classify": (lambda terminal: re.search(r"step \d/\d done: reduce", terminal.shown), 4.0),
    }
    for happened, spread_s in moments.values():
        terminal = started()
        terminal.wait_until(lambda happened=happened, terminal=terminal: happened(terminal))
        time.sleep(rng.uniform(0.0, spread_s))
        interrupted(terminal, output)
    assert len(list(markers.glob("*.json"))) == WAVES
    terminal = started()
    assert terminal.wait(200) == 0, terminal.shown
    assert f"done={WAVES} to_do=0" in terminal.shown
    assert record(output)["exit_code"] == 0
