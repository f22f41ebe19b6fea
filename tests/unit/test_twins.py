"""Near-twins: all pairs within both limits and no other, and the nearest one whatever the order of the batches."""

import numpy as np
import pyarrow as pa
import pytest

from fruits_pipeline.classify import twins
from fruits_pipeline.classify.twins import FOUND, Looks, Nearest, TwinSearch


def drawn(seed, rows, k=5):
    """Hashes of few bits, so that some are near, and components."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 1 << 8, rows).astype(np.int64) - (rng.integers(0, 2, rows) << 62)
    return hashes, rng.normal(size=(rows, k)).astype(np.float32), np.full(rows, 0.5, np.float32)


def looks(hashes, components, brightness=0.5):
    return Looks.of(hashes, components, np.full(len(hashes), brightness, np.float32))


def plainly(ours, theirs, cosine, bits):
    """The same pairs one by one."""
    found = []
    for i, (hash_i, x, _) in enumerate(zip(*ours, strict=True)):
        for j, (hash_j, y, _) in enumerate(zip(*theirs, strict=True)):
            differ = ((int(hash_i) ^ int(hash_j)) & ((1 << 64) - 1)).bit_count()
            near = round(float(x.astype(float) @ y / np.linalg.norm(x) / np.linalg.norm(y)), 6)
            if differ <= bits and near >= cosine:
                found.append((i, j, differ))
    return found


@pytest.mark.parametrize(("cosine", "bits"), [(0.0, 2), (0.5, 4), (-1.0, 0), (0.9, 64)])
def test_the_pairs_are_those_of_one_by_one(monkeypatch, cosine, bits):
    monkeypatch.setattr(twins, "_BLOCK", 7)
    ours, theirs = drawn(1, 40), drawn(2, 60)
    monkeypatch.setattr(twins, "_SLICE", 5)
    parts = list(TwinSearch(Looks.of(*ours), cosine, bits).among(Looks.of(*theirs)))
    assert max(len(part.ours) for part in parts) <= 5
    found = [row for part in parts for row in zip(part.ours, part.theirs, part.bits, strict=True)]
    expected = plainly(ours, theirs, cosine, bits)
    assert expected
    assert sorted(found) == sorted(expected)


def test_components_of_length_0_are_like_no_others():
    mine = looks(np.array([7]), np.zeros((1, 3), np.float32))
    assert [part.ours.size for part in TwinSearch(mine, 0.1, 4).among(mine)] == [0]


def batch(paths, label="kiwi"):
    return pa.record_batch({"path": paths, "label": [label] * len(paths), "content_sha256": paths})


def test_the_nearest_twin_is_kept_over_batches_and_ties_go_by_path():
    mine = looks(np.array([0, 1 << 40]), np.array([[1.0, 0.0], [0.0, 1.0]], np.float32))
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        nearest = Nearest(TwinSearch(mine, 0.5, 1))
        batches = [
            (batch(["c", "b"]), looks(np.array([0, 0]), np.array([[1.0, 0.0], [1.0, 0.0]], np.float32))),
            (batch(["a"]), looks(np.array([0]), np.array([[1.0, 0.5]], np.float32))),
            (batch(["d"]), looks(np.array([1]), np.array([[1.0, 0.0]], np.float32))),
        ]
        for place in order:
            nearest.see(*batches[place])
        found = nearest.found()
        assert found.schema == FOUND
        assert found.to_pylist() == [
            {"place": 0, "twin_path": "b", "twin_label": "kiwi", "twin_sha256": "b", "cosine": 1.0, "hash_bits": 0}
        ]


def test_without_a_twin_there_is_no_row():
    mine = looks(np.array([0]), np.ones((1, 2), np.float32))
    nearest = Nearest(TwinSearch(mine, 0.5, 1))
    nearest.see(batch(["a"]), looks(np.array([-1]), np.ones((1, 2), np.float32)))
    assert nearest.found().num_rows == 0
    assert nearest.found().schema == FOUND


def test_black_and_white_are_no_twins_though_their_hashes_are():
    one, other = (looks(np.array([0]), np.ones((1, 2), np.float32), level) for level in (0.0, 1.0))
    for mine, theirs, pairs in ((one, other, 0), (one, one, 1)):
        assert sum(len(part.ours) for part in TwinSearch(mine, 0.5, 4).among(theirs)) == pairs
