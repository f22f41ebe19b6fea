"""The scenarios, a first run and the update of a finished output: killed at a point, started again, and checked."""

import json
import os
import random
import shutil
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
from in_process import Command

from kill import processes
from kill.runner import Orders, Trap, install
from kill.source import WAVE_IMAGES, Source
from outputs import assert_equal_results, record, table

SEED = int(os.environ.get("KILL_SEED", "1"))
SCENARIOS = ("first", "update")
ROOMS = ("ingest", "features", "reduce", "classify")
# Two waves are in flight.
MOST_WAVES_TWICE = 2
_MOMENTS = ("before", "within", "after")
_KEYS = {
    "ingest": ("_state/snapshot.json", "manifest/"),
    "features": ("_state/waves/", "features/", "rejects/"),
    "reduce": ("_state/reduce.json", "reduced/", "models/reduce/", "evaluation/variance/", "exports/", "_state/export"),
}


@dataclass(frozen=True)
class Killed:
    """What stood in the output when the process was dead.

    Attributes:
        finished: Paths of the images in waves that this run had finished.
        twice: Waves that were begun and not finished, and so are computed a second time.
    """

    finished: frozenset[str]
    twice: tuple[str, ...]


class Scenes:
    """Both scenarios on one source and one place of the output, so that their recipes and addresses are the same."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.source, self.output = Source(folder), folder / "output"
        self._folder, self._model = folder, model

    def words(self, output: Path, name: str = "run") -> tuple[object, ...]:
        """The command ``run``, or ``extract``."""
        more = ("--components", "2", "--export", "csv") if name == "run" else ()
        return (name, "--data-source", self.source.table, "--output-uri", output, "--wave-images", WAVE_IMAGES, *more)

    def orders(self, what: str = "", key: str = "", **more: object) -> Orders:
        """Orders of the runner for the output."""
        return Orders(str(self._model), str(self.output), what=what, key=key, **more)

    def prepare(self, scenario: str, room: str, command: Command) -> None:
        """Puts source and output as they are when ``room`` of the scenario is next, the rooms before it finished."""
        base = self.expected("first", command) if scenario == "update" else None
        if room in ("reduce", "classify"):
            base = self._extracted(scenario, base, command)
        self._list(scenario)
        shutil.rmtree(self.output, ignore_errors=True)
        if base is not None:
            shutil.copytree(base, self.output)

    def expected(self, scenario: str, command: Command) -> Path:
        """The output of a run on the scenario's source that nothing disturbed, made when it is first asked for."""
        output = self._folder / f"expected-{scenario}"
        if not output.exists():
            self._list(scenario)
            self._traced(output.name, command, *self.words(output))
        return output

    def trace(self, scenario: str, command: Command) -> list[str]:
        """Every operation of the store in the scenario when nothing disturbs it, as ``WHAT KEY``, sorted."""
        if scenario == "first":
            name = self.expected("first", command).name
        elif not (self._folder / f"{(name := 'updated')}-trace").exists():
            self.prepare(scenario, "ingest", command)
            self._traced(name, command, *self.words(self.output))
            self.check(scenario, command)
        return sorted((self._folder / f"{name}-trace").read_text().splitlines())

    def drawn(self, scenario: str, room: str, number: int, command: Command) -> Orders:
        """A seeded point among the operations of a room."""
        trace = self.trace(scenario, command)
        chosen = random.Random(f"{SEED} {scenario} {room} {number}")
        line = chosen.choice([line for line in trace if room_of(line.partition(" ")[2]) == room])
        what, _, key = line.partition(" ")
        moments = ("before", "after") if what == "delete" else _MOMENTS
        times = chosen.randrange(trace.count(line)) + 1
        return replace(self.orders(what, key), times=times, moment=chosen.choice(moments))

    def killed(self, scenario: str, orders: Orders, command: Command) -> Killed:
        """Runs the scenario until the process is killed at the point."""
        self.prepare(scenario, room_of(orders.key), command)
        base = set(_marked(self.expected("first", command))) if scenario == "update" else set()
        ended = processes.run(orders, *self.words(self.output))
        assert ended.code == -signal.SIGKILL, (orders, ended.code, ended.err)
        marked = _marked(self.output)
        finished = {path for name, paths in marked.items() if name not in base for path in paths}
        begun = [name for name in _planned(self.output) if any((self.output / f"features/wave={name}").rglob("*"))]
        return _told(orders, Killed(frozenset(finished), tuple(name for name in begun if name not in marked)))

    def resumed(self, scenario: str, killed: Killed, command: Command) -> None:
        """Starts the same command again, and checks what it did and what it left."""
        assert len(killed.twice) <= MOST_WAVES_TWICE
        ended = command(*self.words(self.output))
        assert ended.code == 0, ended.err
        wanted = self.source.new if scenario == "update" else set(_paths(self.output))
        assert record(self.output)["change"]["computed"] == len(wanted - killed.finished)
        self.check(scenario, command)

    def check(self, scenario: str, command: Command) -> None:
        """The output is what an undisturbed run on the same source gives, whole, with nothing beside it."""
        expected = self.expected(scenario, command)
        assert_equal_results(expected, self.output, self.source.images)
        for dataset in ("manifest", "reduced", "exports/csv"):
            tables = [_rows(output, dataset) for output in (expected, self.output)]
            pd.testing.assert_frame_equal(*tables, atol=1e-5, rtol=0)
        ended = command("verify", "--deep", "--output-uri", self.output)
        assert ended.code == 0, ended.out
        assert len(ended.out.splitlines()) == 1, ended.out
        assert not list(self.output.rglob("*.tmp"))

    def _list(self, scenario: str) -> None:
        self.source.before() if scenario == "first" else self.source.after()

    def _extracted(self, scenario: str, base: Path | None, command: Command) -> Path:
        """``base`` once the features are those of the scenario, and nothing else."""
        output = self._folder / f"extracted-{scenario}"
        if not output.exists():
            self._list(scenario)
            if base is not None:
                shutil.copytree(base, output)
            ended = command(*self.words(output, "extract"))
            assert ended.code == 0, ended.err
        return output

    def _traced(self, name: str, command: Command, *words: object) -> None:
        with pytest.MonkeyPatch.context() as patch:
            install(Trap(self.orders(trace=str(self._folder / f"{name}-trace"))), patch.setattr)
            ended = command(*words)
        assert ended.code == 0, ended.err


def room_of(key: str) -> str:
    """The room that writes ``key``; '' for what is no room's."""
    for room, prefixes in _KEYS.items():
        if key.startswith(prefixes):
            return room
    return "classify" if key.startswith(("predictions/", "models/", "evaluation/", "_state/classify.json")) else ""


def _told(point: Orders, killed: Killed) -> Killed:
    """Adds a line to the file that ``KILL_REPORT`` names, for the figures of a whole round of kills."""
    if report := os.environ.get("KILL_REPORT"):
        place = [point.what, point.key, point.times, point.moment]
        with Path(report).open("a") as lines:
            lines.write(json.dumps({"point": place, "waves_twice": len(killed.twice)}) + "\n")
    return killed


def _planned(output: Path) -> list[str]:
    plan = output / "_state/snapshot.json"
    return [wave["wave"] for wave in json.loads(plan.read_text())["waves"]] if plan.exists() else []


def _marked(output: Path) -> dict[str, set[str]]:
    """The paths of the images of each finished wave."""
    markers = [json.loads(file.read_text()) for file in (output / "_state/waves").glob("*.json")]
    return {marker["wave"]: set(_manifest(output / marker["manifest"]["key"])["path"]) for marker in markers}


def _manifest(file: Path) -> pd.DataFrame:
    rows = pd.read_parquet(file)
    return rows[rows["skip_reason"].isna()]


def _paths(output: Path) -> list[str]:
    return _manifest(output / "manifest")["path"].tolist()


def _rows(output: Path, dataset: str) -> pd.DataFrame:
    """Rows in order of path; what a wave's name or a file's may make different is left out."""
    if dataset == "exports/csv":
        parts = [pd.read_csv(file) for file in sorted((output / dataset).glob("part-*"))]
        rows = pd.concat(parts)
    else:
        rows = table(output, dataset, output.parent / "images").drop(columns="wave", errors="ignore")
    if "pca_features" in rows and dataset == "reduced":
        spread = pd.DataFrame(rows["pca_features"].tolist())
        rows = pd.concat([rows.drop(columns="pca_features"), spread], axis=1)
    return rows.sort_values("path").reset_index(drop=True)
