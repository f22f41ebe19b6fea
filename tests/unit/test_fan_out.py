"""A listing by folders has what the plain one has, on a bucket in memory: odd keys, the number of requests."""

from datetime import UTC, datetime

import numpy as np
import pytest

from fruits_pipeline.storage import fan_out
from fruits_pipeline.storage.store import Found

THEN = datetime(2026, 1, 1, tzinfo=UTC)


class Bucket:
    """Keys in the order of their bytes; one answer holds ``page`` entries."""

    def __init__(self, keys, page=1000):
        self.keys, self.page = sorted(keys, key=str.encode), page
        self.listed, self.levels = [], []

    def objects(self, prefix=""):
        self.listed.append(prefix)
        return (Found(key, 1, THEN) for key in self.keys if key.startswith(prefix))

    def level(self, prefix):
        self.levels.append(prefix)
        below = [key[len(prefix) :] for key in self.keys if key.startswith(prefix)]
        loose = [Found(prefix + key, 1, THEN) for key in below if "/" not in key]
        folders = {prefix + key[: key.index("/") + 1] for key in below if "/" in key}
        return fan_out.Level(loose, sorted(folders)) if len(loose) + len(folders) <= self.page else None


def keys(store):
    return sorted((found.key for found in fan_out.objects(store)), key=str.encode)


CASES = {
    "empty": [],
    "flat": [f"{number}.jpg" for number in range(50)],
    "loose between folders": ["a.jpg", "a/1", "a/2", "a0", "b", "b/1", "b/c/1", "c-/x", "c/x", "c0"],
    "odd": ["a//b", "a///b", "//x", "/lead", "a/../b", "a/./b", "a b/x", "a%20b/x", "é/1", "e\u0301/1", "🍎/x", "ﬀ/x"],
    "train and test": [f"{split}/{label}/{n}" for split in ("Test", "Training") for label in "abcde" for n in range(9)],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("page", [1, 3, 1000])
def test_the_listing_by_folders_has_the_keys_of_the_plain_one(case, page):
    assert keys(Bucket(CASES[case], page)) == sorted(CASES[case], key=str.encode)


def test_so_has_that_of_random_trees():
    seed = np.random.default_rng(5)
    for _ in range(50):
        names = ["a", "a ", "a.", "a0", "A", "é", ""]
        tree = {"/".join(seed.choice(names, seed.integers(1, 6))) + "x" for _ in range(100)}
        assert keys(Bucket(tree, int(seed.integers(1, 30)))) == sorted(tree, key=str.encode)


def test_a_root_with_two_folders_is_listed_by_the_folders_in_them():
    store = Bucket([f"{split}/{label:02d}/x" for split in ("Test", "Training") for label in range(20)])
    keys(store)
    assert sorted(store.levels) == ["", "Test/", "Training/"]
    assert len(store.listed) == 40


def test_a_root_of_too_many_entries_is_listed_as_it_is():
    store = Bucket([f"{number}.jpg" for number in range(50)], page=10)
    keys(store)
    assert (store.levels, store.listed) == ([""], [""])


def test_where_folders_are_more_than_would_pay_they_are_not_listed_one_by_one():
    store = Bucket([f"{folder}/{number}/x" for folder in range(6) for number in range(100)])
    keys(store)
    assert sorted(store.listed) == [f"{folder}/" for folder in range(6)]
