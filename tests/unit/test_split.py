"""Train or test by content, and the number of tasks of a wave."""

import hashlib

import numpy as np
import pytest

from fruits_pipeline.features.tasks import tasks_of
from fruits_pipeline.reduce.split import hash_share, share_of, split_of

HASHES = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(20_000)]


@pytest.mark.parametrize("share", [0.01, 0.5, 0.8, 0.99])
def test_about_the_asked_share_of_contents_is_train(share):
    trained = np.mean([split_of(content, share) == "train" for content in HASHES])
    assert abs(trained - share) < 4 * np.sqrt(share * (1 - share) / len(HASHES))


def test_a_larger_share_only_adds_to_train():
    assert {one for one in HASHES if split_of(one, 0.5) == "train"} < {
        one for one in HASHES if split_of(one, 0.6) == "train"
    }


def test_the_bound_of_the_share_is_test():
    assert split_of("7fffffff" + "f" * 56, 0.5) == "train"
    assert split_of("80000000" + "0" * 56, 0.5) == "test"


def test_splits_of_folders_decide_only_where_there_are_any_and_they_are_asked_to():
    assert [hash_share("folder", any_split=any_split) for any_split in (True, False)] == [None, 0.8]
    assert [hash_share(0.7, any_split=any_split) for any_split in (True, False)] == [0.7, 0.7]
    assert (share_of("folder"), share_of(0.7)) == (0.8, 0.7)


def test_a_wave_has_tasks_for_all_cores_but_none_without_an_image():
    for images in (0, 1, 7, 100, 999, 10_000, 200_000):
        for cores in (1, 2, 16, 500):
            tasks = tasks_of(images, cores)
            assert 1 <= tasks <= max(1, images)
            assert tasks >= min(images / 32, 2 * cores)
            assert images / tasks <= 1_000
