"""Plans over random histories of a source: what is planned is what the source has, whatever was planned before."""

from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest
from waves_of import ROOT, THEN, Row, Told, manifest_of

from fruits_pipeline.ingest.manifests import RowsDigest
from fruits_pipeline.state.plan import Plan

HISTORIES, STEPS = 8, 4
NAMES = [f"{number:02d}" for number in range(16)]


def changed(source, noise):
    """The source, rows by path, after some random work on it."""
    source = dict(source)
    rate = noise.choice([0.02, 0.3])
    for name in (f"{ROOT}/{name}" for name in NAMES):
        if noise.random() > rate:
            continue
        row = source.get(name, Row(name, int(noise.integers(1, 9))))
        match noise.choice(["add", "remove", "change", "relabel", "skip"]):
            case "add":
                source.setdefault(name, row)
            case "remove":
                source.pop(name, None)
            case "change":
                source[name] = row._replace(modified=THEN + timedelta(seconds=int(noise.integers(1, 99))))
            case "relabel":
                source[name] = row._replace(label=str(noise.choice(["x", "y"])), split=noise.choice(["test", None]))
            case "skip":
                source[name] = row._replace(skip_reason=[None, "not_sampled"][noise.integers(2)])
    source[f"{ROOT}/an image"] = Row(f"{ROOT}/an image")  # because a source without one is refused
    return source


def is_unchanged(image, before):
    """Whether an image has the content that it had."""
    return before.skip_reason is None and image[1:3] == before[1:3]


def check_waves(store, before, plan, source, cut):
    """Waves whose rows are all the same stay, others are replaced, new rows come into full new waves."""
    size, finished = cut
    old, new = manifest_of(store, before), manifest_of(store, plan)
    assert sorted(row for rows in new.values() for row in rows) == sorted(source.values())
    assert all(rows == sorted(rows) and rows for rows in new.values())
    kept = {name for name, rows in old.items() if all(source.get(row.path) == row for row in rows)}
    assert {wave.wave for wave in plan.waves if wave in before.waves} == kept
    was = {row.path: (name, row) for name, rows in old.items() for row in rows}
    pieces = defaultdict(list)
    for wave in plan.waves:
        if wave.wave not in kept:
            (origin,) = {was.get(row.path, (None,))[0] for row in new[wave.wave]}
            pieces[origin].append(new[wave.wave])
    for origin, parts in pieces.items():
        images = [sum(row.skip_reason is None for row in part) for part in parts]
        rows = [row for part in parts for row in part if row.skip_reason is None]
        if origin in finished and all(is_unchanged(row, was[row.path][1]) for row in rows):
            assert len(parts) == 1
        else:
            assert all(number == size for number in images[:-1])
            assert images[-1] <= size
    assert [(wave.first, wave.wave) for wave in plan.waves] == sorted((w.first, w.wave) for w in plan.waves)


def check_facts(store, plan):
    """What the plan says of each wave follows from its rows alone."""
    found = manifest_of(store, plan)
    for wave in plan.waves:
        rows = found[wave.wave]
        digest = RowsDigest()
        for table in Told(rows).tables():
            digest.update(table)
        skipped = sum(row.skip_reason is not None for row in rows)
        assert (wave.digest, wave.first, wave.counts.skipped) == (digest.hexdigest(), rows[0].path, skipped)
        assert wave.counts.images == wave.counts.pending == len(rows) - skipped


def without_files(plan):
    """The plan but for its manifests' bytes, whose row groups follow the windows of the merge."""
    return [wave.model_copy(update={"manifest": None}) for wave in plan.waves], plan.next_wave, plan.change


@pytest.mark.parametrize("history", range(HISTORIES))
def test_over_random_histories_the_plan_is_the_source_and_no_name_comes_twice(store, planned, history):
    noise = np.random.default_rng(history)
    source, plan, used = {}, Plan(settings={}, source_root=""), set()
    for _ in range(STEPS):
        source, size, before = changed(source, noise), int(noise.integers(1, 6)), plan
        finished = {wave.wave for wave in before.waves if noise.random() < 0.5}
        rows = [list(source.values())[place] for place in noise.permutation(len(source))]
        plan = planned(Told(rows, batch=int(noise.integers(1, 8))), before, size, finished)
        fresh = {wave.wave for wave in plan.waves} - {wave.wave for wave in before.waves}
        assert not used & fresh
        assert all(int(name) in range(before.next_wave, plan.next_wave) for name in fresh)
        used |= fresh
        check_waves(store, before, plan, source, (size, finished))
        check_facts(store, plan)
        again = planned(Told(rows[::-1], batch=2), before, size, finished)
        assert without_files(again) == without_files(plan)
