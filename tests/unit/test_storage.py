"""The store of plain files: what is listed, in which order, under which names."""

import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.opening import open_store

ODD = (
    "a b",
    "100%",
    "a%20b",
    "#1",
    "x+y",
    "new\nline",
    "Яблоко",
    "苹果",
    "🍎",
    "back\\slash",
    "a*b",
    "[a]",
    "é",
    "~",
    "{}?",
)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


def place(store, key):
    return Path(store.root.removeprefix("file://"), key)


def keys(store, prefix=""):
    return [found.key for found in store.objects(prefix)]


def test_the_listing_is_flat_in_the_order_of_the_utf8_bytes_of_full_keys(store):
    written = ["a/b.jpg", "a.txt", "a b/c", "a0", "a/é", "a/z", "B/x", "a-/x", "ﬀ", "🍎/x", "z"]
    for key in np.random.default_rng(1).permutation(written):
        store.write(key, b"x")
    assert keys(store) == sorted(written, key=lambda key: key.encode())
    assert keys(store).index("a.txt") < keys(store).index("a/b.jpg")


def test_a_random_tree_is_listed_in_byte_order(store):
    seed, names = np.random.default_rng(7), ["a", "a ", "a.", "a0", "A", "é"]
    written = {"/".join(seed.choice(names, seed.integers(1, 5))) + ".x" for _ in range(300)}
    for key in written:
        store.write(key, b"")
    assert keys(store) == sorted(written, key=lambda key: key.encode())


@pytest.mark.parametrize("name", ODD)
def test_odd_names_keep_their_spelling_from_write_to_list_to_read(store, name):
    store.write(f"{name}/{name}", b"1")
    assert keys(store) == [f"{name}/{name}"]
    assert store.read(f"{name}/{name}") == b"1"
    assert keys(store, name) == [f"{name}/{name}"]


def test_a_name_that_is_no_utf8_is_counted_in_hex_and_in_order(store):
    store.write("az", b"1")
    Path(os.fsdecode(os.fsencode(place(store, "a")) + b"\xff")).write_bytes(b"22")
    found = list(store.objects())
    assert [(one.key, one.length) for one in found] == [("a\\xff", 2), ("az", 1)]


def test_a_prefix_is_a_folder_and_no_beginning_of_a_name(store):
    for key in ("ab/x", "a/x", "a/y/z", "a.x"):
        store.write(key, b"")
    assert keys(store, "a") == ["a/x", "a/y/z"]
    assert keys(store, "a/y") == ["a/y/z"]
    assert keys(store, "none") == keys(store, "a.x") == []


def test_length_and_time_of_an_object_are_those_of_the_file_to_the_microsecond(store):
    store.write("x", b"12345")
    os.utime(place(store, "x"), ns=(0, 1_700_000_000_123_456_789))
    found = next(store.objects())
    assert found == store.stat("x")
    assert (found.length, found.modified) == (5, datetime(2023, 11, 14, 22, 13, 20, 123456, UTC))


def test_links_are_followed_but_never_round_a_circle(store):
    store.write("real/x", b"1")
    place(store, "link").symlink_to("real")
    place(store, "real/up").symlink_to("..")
    place(store, "file").symlink_to("real/x")
    found = {one.key: one.length for one in store.objects()}
    assert found == {"file": 1, "link/x": 1, "real/x": 1}


def test_a_link_that_leads_nowhere_or_to_itself_is_an_object_of_length_0(store):
    store.write("x", b"1")
    place(store, "broken").symlink_to("nowhere-at-all")
    place(store, "self").symlink_to("self")
    assert [(one.key, one.length) for one in store.objects()] == [("broken", 0), ("self", 0), ("x", 1)]


def test_a_pipe_is_no_object_not_even_behind_a_link(store):
    store.write("x", b"1")
    os.mkfifo(place(store, "pipe"))
    place(store, "link").symlink_to("pipe")
    assert keys(store) == ["x"]


def test_a_file_that_goes_while_the_folder_is_listed_is_left_out(store):
    for key in ("a", "b", "c"):
        store.write(key, b"")
    listing = store.objects()
    assert next(listing).key == "a"
    place(store, "b").unlink()
    assert [one.key for one in listing] == ["c"]


def test_hidden_names_and_empty_files_are_listed_too(store):
    for key in (".x", "_x/y", "zero"):
        store.write(key, b"")
    assert keys(store) == [".x", "_x/y", "zero"]


def test_a_folder_that_cannot_be_listed_is_told(store, golden, monkeypatch):
    store.write("a/x", b"")

    def refused(_folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(StorageError) as told:
        keys(store, "a")
    golden("storage_cannot_list", str(told.value), store=place(store, "").parent)
