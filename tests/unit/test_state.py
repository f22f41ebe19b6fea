"""Digests, counts and the lease."""

import hashlib
import os
import re

import pytest

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.counts import Counts, add_reasons, added
from fruits_pipeline.state.fingerprint import differences, digest_of
from fruits_pipeline.state.lease import leased


def test_a_digest_is_the_sha256_of_canonical_json_whatever_the_order_of_its_keys():
    expected = hashlib.sha256('{"a": 1, "b": "é"}'.encode()).hexdigest()
    assert digest_of({"b": "é", "a": 1}) == digest_of({"a": 1, "b": "é"}) == expected


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1, "b": None}, {"a": 1.5}, {"A": 1}, {}])
def test_a_digest_changes_with_each_key_and_value(other):
    assert digest_of(other) != digest_of({"a": 1})


def test_the_keys_that_differ_are_named_with_both_values():
    new, old = {"a": 1, "b": "x", "d": 0}, {"a": 2, "b": "x", "c": None}
    assert differences(old, new) == ["a: 2 -> 1", "d: None -> 0"]
    assert differences(new, new) == []


def test_counts_that_add_up_are_given_back():
    counts = Counts(found=9, read=4, rejected=2, skipped=2, pending=1, reject_reasons={"a": 2}, skip_reasons={"b": 2})
    assert counts.checked() is counts
    assert (counts.tried, counts.reject_share, Counts().reject_share) == (6, 2 / 6, 0.0)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("found", Counts(found=3, read=2)),
        ("rejected", Counts(found=3, read=2, rejected=1)),
        ("skipped", Counts(found=2, skipped=2, skip_reasons={"hidden": 1})),
    ],
)
def test_counts_that_do_not_add_up_are_told(golden, name, counts):
    with pytest.raises(DatasetError) as told:
        counts.checked()
    golden(f"counts_{name}", str(told.value))


def test_tables_of_reasons_are_added_by_reason():
    assert list(add_reasons([{"b": 1, "a": 2}, {}, {"b": 3}]).items()) == [("a", 2), ("b", 4)]


def test_counts_are_added_one_by_one_and_reason_by_reason():
    one = Counts(found=9, read=4, rejected=2, skipped=2, pending=1, reject_reasons={"b": 2}, skip_reasons={"x": 2})
    two = Counts(found=4, read=1, rejected=2, skipped=1, reject_reasons={"b": 1, "a": 1}, skip_reasons={"x": 1})
    total = added(iter([one, two])).checked()
    assert (total.found, total.read, total.rejected, total.skipped, total.pending) == (13, 5, 4, 3, 1)
    assert (list(total.reject_reasons.items()), total.skip_reasons) == ([("a", 1), ("b", 3)], {"x": 3})
    assert (total.images, total.tried) == (10, 9)
    assert added([]) == Counts()


def test_another_job_that_holds_the_output_is_told(store, golden, tmp_path):
    with leased(store), pytest.raises(DatasetError) as told, leased(store):
        pass
    words = re.search(r"host=(\S+) pid=(\d+) since=(\S+);", str(told.value))
    assert int(words[2]) == os.getpid()
    golden("lease_held", str(told.value), output=tmp_path / "output", host=words[1], pid=words[2], since=words[3])
    with leased(store):
        assert store.read(layout.LEASE)


def test_a_job_that_has_not_yet_written_its_name_holds_the_output_all_the_same(store):
    holding = pytest.raises(DatasetError, match="found another job: owner unknown;")
    with store.hold(layout.LEASE, ""), holding, leased(store):
        pass
