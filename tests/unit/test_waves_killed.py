"""An update of the waves that is killed at any write or delete is taken up by the next start, and nothing is lost."""

import io
import shutil
from contextlib import suppress

import pyarrow.parquet as pq
import pytest
from waves_of import finish, manifest_of, rows_of

from fruits_pipeline.features.takeover import takeover
from fruits_pipeline.features.wave import shared
from fruits_pipeline.state.plan import load_plan, save_plan
from fruits_pipeline.state.snapshot import is_finished, load_waves, mark_wave, snapshot_of
from fruits_pipeline.state.upkeep import drop_manifests, drop_replaced, tidied
from fruits_pipeline.storage.local import LocalStore

BEFORE = rows_of("abcdefgh")
# d is gone, f is replaced, a has another label, and x, y and z are new.
AFTER = [
    BEFORE[0]._replace(label="other"),
    *BEFORE[1:3],
    BEFORE[4],
    BEFORE[5]._replace(length=2),
    *BEFORE[6:],
    *rows_of("xyz"),
]


class Killed(BaseException):
    """The process ends here."""


class Mortal(LocalStore):
    """A store of files that dies in its write or before its delete of the given number, and leaves temporary files."""

    left = -1

    def write(self, key, content):
        self._spend(key)
        super().write(key, content)

    def put(self, key, file):
        self._spend(key)
        super().put(key, file)

    def create(self, key, content):
        self._spend(key)
        return super().create(key, content)

    def delete(self, keys):
        for key in keys:
            self._spend(None)
            super().delete([key])

    def _spend(self, key):
        if self.left == 0:
            if key:
                self._temporary(key).write_bytes(b"half")
            raise Killed
        self.left -= 1


@pytest.fixture
def store(tmp_path):
    return Mortal(f"file://{tmp_path}/output", tmp_path / "output")


@pytest.fixture
def start(store, planned):
    """Brings the output up to the rows of a source; gives the paths that were computed."""

    def start(rows):
        standing = tidied(store, {})
        plan = planned(rows, standing.plan, 2, frozenset(standing.waves))
        save_plan(store, plan)
        drop_manifests(store, standing.plan, plan, standing.waves)
        found, done = load_waves(store), []
        for wave in plan.waves:
            if not is_finished(wave, found):
                done += finished(store, wave, found)
        drop_replaced(store, plan, load_waves(store))
        return done

    return start


def finished(store, wave, found):
    has = takeover(store, wave, found)
    if has.whole is not None:
        mark_wave(store, shared(wave, has.whole))
        return []
    finish(store, wave)
    return has.pending["path"].to_pylist()


def check(store, rows):
    """Each row once in the manifest, each image once in the features, and no other file."""
    plan, waves = load_plan(store), load_waves(store)
    assert sorted(row for wave in manifest_of(store, plan).values() for row in wave) == sorted(rows)
    snapshot = snapshot_of(store, plan, waves)
    named = {file.key for wave in waves.values() for file in (wave.manifest, *wave.files)}
    there = {found.key for found in store.objects() if not found.key.startswith("_state/")}
    assert there == named
    features = [file for wave in snapshot.waves for file in wave.of("features")]
    assert len(set(features)) == len(features)
    read = [path for file in features for path in paths(store, file)]
    assert sorted(read) == sorted(row.path for row in rows)
    assert not [found.key for found in store.objects("_state") if found.key.endswith(".tmp")]


def paths(store, file):
    return pq.read_table(io.BytesIO(store.read(file.key)), columns=["path"], partitioning=None)["path"].to_pylist()


@pytest.mark.parametrize(("first", "rows"), [((), BEFORE), (BEFORE, AFTER)])
def test_a_kill_at_any_write_loses_nothing_and_computes_no_finished_wave_again(store, start, tmp_path, first, rows):
    if first:
        start(first)
    base, output = tmp_path / "base", tmp_path / "output"
    output.mkdir(exist_ok=True)
    shutil.copytree(output, base)
    before = set(load_waves(store))
    wanted = {f"file:///in/{name}" for name in (["f", "x", "y", "z"] if first else "abcdefgh")}
    operations, ended = 0, False
    while not ended:
        shutil.rmtree(output)
        shutil.copytree(base, output)
        store.left = operations
        with suppress(Killed):
            start(rows)
            ended = True
        store.left = -1
        done = {wave.wave: wave for name, wave in load_waves(store).items() if name not in before}
        kept = {path for wave in done.values() for file in wave.of("manifest") for path in paths(store, file)}
        assert set(start(rows)) == wanted - kept
        check(store, rows)
        operations += 1
    assert start(rows) == []
    assert operations > 14
