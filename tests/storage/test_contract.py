"""What every kind of storage promises: the same tests over files, moto, SeaweedFS and fake-gcs-server."""

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage import uri

ODD = ("a b", "100%", "a%20b", "#1", "x+y", "Яблоко", "苹果", "🍎", "a*b", "[a]", "é", "e\u0301", "~", "{}?", "q?x=1&y")
# Names that some kinds of storage cannot have, as seen with these versions.
ODDER = ("new\nline", "back\\slash", "tab\t", "cr\rx", "\x01", "a//b", "/lead", "a/./b", "a/../b", "//")
# moto finds no key with a line feed; SeaweedFS is a file system behind S3.
IMPOSSIBLE = {
    "moto": {"new\nline"},
    "seaweedfs": {"back\\slash", *ODDER[5:]},
    "fake_gcs_server": set(),
}


def keys(store, prefix=""):
    return [found.key for found in store.objects(prefix)]


def by_bytes(names):
    return sorted(names, key=lambda name: name.encode())


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_keeps_its_spelling_from_write_to_list_to_read_to_delete(store, name):
    key = f"{name}/{name}.jpg"
    store.write(key, b"1")
    assert keys(store) == keys(store, name) == [key]
    assert store.read(key) == b"1"
    assert store.stat(key).key == key
    assert uri.below(uri.join(store.root, key), store.root) == key
    store.delete([key])
    assert keys(store) == []


@pytest.mark.parametrize("name", ODDER)
def test_an_odder_name_does_too_where_the_server_can_have_it(server, bucket, name):
    if name in IMPOSSIBLE[server]:
        pytest.skip(f"{server} cannot have it")
    store = bucket()
    store.write(name, b"1")
    store.write("z", b"2")
    assert keys(store) == [name, "z"]
    assert (store.read(name), store.stat(name).length) == (b"1", 1)
    assert uri.below(uri.join(store.root, name), store.root) == name
    store.delete([name, "z"])
    assert keys(store) == []


def test_the_listing_is_flat_in_the_order_of_the_utf8_bytes(store, request):
    written = ["a/b.jpg", "a.txt", "a b/c", "a0", "a/é", "a/z", "B/x", "a-/x", "ﬀ", "🍎/x", "z"]
    for key in np.random.default_rng(1).permutation(written):
        store.write(key, b"x")
    if "seaweedfs" in request.node.name:  # because a file system lists folder by folder
        assert sorted(keys(store)) == by_bytes(written)
    else:
        assert keys(store) == by_bytes(written)


def test_a_prefix_is_a_folder_and_no_beginning_of_a_name(store):
    for key in ("ab/x", "a/x", "a/y/z", "a.x", "manifest/x", "manifest2/x"):
        store.write(key, b"x")
    assert keys(store, "a") == keys(store, "a/") == ["a/x", "a/y/z"]
    assert keys(store, "a/y") == ["a/y/z"]
    assert keys(store, "manifest") == ["manifest/x"]
    assert keys(store, "none") == keys(store, "a.x") == []


def test_what_is_found_has_its_length_and_a_time_of_today(store):
    store.write("x/empty", b"")
    store.write("x/five", b"12345")
    found = {one.key: one for one in store.objects()}
    assert {key: one.length for key, one in found.items()} == {"x/empty": 0, "x/five": 5}
    assert found == {key: store.stat(key) for key in found}
    stated = store.stat("x/five")
    assert (stated.key, stated.length) == ("x/five", 5)
    assert abs(datetime.now(UTC) - stated.modified) < timedelta(minutes=5)


def test_what_is_absent_has_no_status_and_cannot_be_read_or_judged(store):
    assert store.stat("none") is None
    for way in (store.read, store.checksum):
        with pytest.raises(StorageError, match=r"could not read .*none.*: .*it resumes"):
            way("none")


def test_many_are_read_in_the_order_of_their_keys_and_an_absent_one_is_told(store):
    wanted = [f"{number * 7 % 60}.json" for number in range(60)]
    for key in wanted:
        store.write(key, key.encode())
    assert list(store.read_many(wanted)) == [key.encode() for key in wanted]
    assert list(store.read_many([])) == []
    with pytest.raises(StorageError, match=r"could not read .*none"):
        list(store.read_many([*wanted, "none"]))


def test_a_write_replaces_and_the_checksum_follows_the_content(store):
    store.write("a/x", b"old")
    first = store.checksum("a/x")
    store.write("a/x", b"new")
    assert store.read("a/x") == b"new"
    assert first != store.checksum("a/x")
    store.write("a/y", b"old")
    assert store.checksum("a/y") == first
    assert first.partition(":")[0] in {"sha256", "etag", "crc64nvme", "crc32c"}


@pytest.mark.parametrize("size", [0, 7, 20 << 20])
def test_a_file_is_put_whole_in_parts_where_it_is_large(store, tmp_path, size):
    content = np.random.default_rng(size).bytes(size)
    (tmp_path / "file").write_bytes(content)
    store.put("a b/file", tmp_path / "file")
    assert store.read("a b/file") == content
    assert store.stat("a b/file").length == size
    assert store.checksum("a b/file")


def test_a_file_that_is_not_there_cannot_be_put(store, tmp_path):
    with pytest.raises(StorageError, match=r"could not write .*it resumes"):
        store.put("x", tmp_path / "none")
    assert keys(store) == []


def test_create_keeps_what_stands_there_until_it_is_deleted(store):
    assert store.create("a/x", b"1")
    assert not store.create("a/x", b"2")
    assert store.read("a/x") == b"1"
    store.delete(["a/x"])
    assert store.create("a/x", b"3")


def test_of_many_threads_that_create_the_same_object_one_wins_and_its_content_stands(store):
    start, won = threading.Barrier(8), []

    def race(number):
        start.wait()
        if store.create("x", b"%d" % number):
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.read("x")] == [b"%d" % number for number in won]


def test_many_are_deleted_with_absent_ones_among_them_and_others_stay(store):
    many = [f"{number % 7} &<>'\"/x{number}" for number in range(60)]
    for key in (*many, "stays", "0 &<>'\"/stays"):
        store.write(key, b"")
    more_than_one_request = 1_200 if store.root.startswith("s3") else 5
    store.delete(key for key in [*many, *(f"absent/{number}" for number in range(more_than_one_request))])
    assert keys(store) == by_bytes(["stays", "0 &<>'\"/stays"])
    store.delete([])
