"""The store of plain files: atomic writes, create-if-absent, deletes that spare what is foreign, the lock."""

import errno
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fruits_pipeline.errors import SettingsError, StorageError
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import parse_source

HOLDER = (
    "import sys; from fruits_pipeline.storage.opening import open_store\n"
    "with open_store(sys.argv[1]).hold('_state/lease', 'the holder') as other:\n"
    "    print(other if isinstance(other, str) else 'held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


def place(store, key):
    return Path(store.root.removeprefix("file://"), key)


def files_of(store):
    return sorted(path.name for path in place(store, "").rglob("*") if path.is_file())


def keys(store, prefix=""):
    return [found.key for found in store.objects(prefix)]


def test_what_is_absent_has_no_status_and_cannot_be_read(store, golden):
    store.write("file", b"")
    assert store.stat("x") is store.stat("file/below") is None
    with pytest.raises(StorageError) as told:
        store.read("x")
    golden("storage_cannot_read", str(told.value), store=place(store, "").parent)
    with pytest.raises(StorageError, match="could not read"):
        store.checksum("x")


def test_a_write_replaces_the_old_content_and_leaves_no_temporary_file(store, tmp_path):
    store.write("a/x", b"old")
    store.write("a/x", b"new")
    (tmp_path / "local").write_bytes(b"put")
    store.put("a/y", tmp_path / "local")
    assert (store.read("a/x"), store.read("a/y")) == (b"new", b"put")
    assert files_of(store) == ["x", "y"]
    assert place(store, "a/x").stat().st_mode & 0o777 == 0o644
    assert store.checksum("a/x") == "sha256:11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("way", ["write", "put", "create"])
def test_a_write_that_fails_leaves_the_old_content_and_no_temporary_file(store, monkeypatch, tmp_path, way, fault):
    store.write("x", b"old")
    (tmp_path / "local").write_bytes(b"new")

    def full(*_arguments):
        raise fault

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(StorageError if isinstance(fault, OSError) else KeyboardInterrupt):
        getattr(store, way)("x" if way != "create" else "y", b"new" if way != "put" else tmp_path / "local")
    assert (files_of(store), store.read("x")) == (["x"], b"old")


def test_what_a_killed_write_leaves_is_named_as_ours_and_listed(store):
    code = (
        "import os, pathlib, signal, sys; from fruits_pipeline.storage.opening import open_store\n"
        "pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "open_store(sys.argv[1]).write('a/x', b'new')"
    )
    killed = subprocess.run([sys.executable, "-c", code, store.root], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = keys(store)
    assert re.fullmatch(r"a/\.fruits-\w+\.tmp", left)


def test_a_write_below_a_file_is_told(store, golden):
    store.write("file", b"")
    with pytest.raises(StorageError) as told:
        store.write("file/below", b"x")
    golden("storage_cannot_write", str(told.value), store=place(store, "").parent)


def test_create_keeps_what_stands_there(store):
    assert store.create("a/x", b"1")
    assert not store.create("a/x", b"2")
    assert (store.read("a/x"), files_of(store)) == (b"1", ["x"])


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_create_needs_neither_hard_links_nor_modes(store, monkeypatch, code):
    def no_links(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(Path, "chmod", no_links)
    assert store.create("a/x", b"1")
    assert not store.create("a/x", b"2")
    assert (store.read("a/x"), files_of(store)) == (b"1", ["x"])


def test_a_create_that_fails_otherwise_is_told(store, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(StorageError, match=r"could not write .*No space left"):
        store.create("a/x", b"1")
    assert files_of(store) == []


def test_of_many_threads_that_create_the_same_object_one_wins_and_its_content_stands(store):
    for turn in range(20):
        start, won = threading.Barrier(8), []

        def race(number, start=start, won=won, turn=turn):
            start.wait()
            if store.create(f"{turn}/x", b"%d" % number):
                won.append(number)

        threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [store.read(f"{turn}/x")] == [b"%d" % number for number in won]
    assert files_of(store) == ["x"] * 20


def test_delete_removes_named_files_their_checksums_and_emptied_folders_and_nothing_else(store):
    for key in ("a/b/c/x", "a/b/c/.x.crc", "a/b/y", "a/d/x", "a/d/foreign", "top"):
        store.write(key, b"")
    store.delete(["a/b/c/x", "a/d/x", "absent/x", "top"])
    assert keys(store) == ["a/b/y", "a/d/foreign"]
    assert not place(store, "a/b/c").exists()
    store.delete(["a/b/y", "a/d/foreign"])
    assert list(place(store, "").iterdir()) == []


def test_the_lock_is_seen_from_another_process_and_a_killed_holder_frees_it(store):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, store.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        with store.hold("_state/lease", "me") as other:
            assert other == "the holder"
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=30)
        with store.hold("_state/lease", "me") as other:
            assert not isinstance(other, str)
            assert store.read("_state/lease") == b"me"
    assert store.read("_state/lease") == b""


def test_the_holder_removes_what_killed_writes_left_in_the_root_and_nothing_else(store):
    for key in (".fruits-x.tmp", ".other.tmp", "folder/.fruits-x.tmp"):
        store.write(key, b"")
    with store.hold("_state/lease", "me"):
        assert sorted(keys(store)) == [".other.tmp", "_state/lease", "folder/.fruits-x.tmp"]


def test_the_lock_is_free_again_after_a_block_that_failed(store):
    with pytest.raises(ZeroDivisionError), store.hold("lease", "me"):
        raise ZeroDivisionError
    with store.hold("lease", "me") as other:
        assert not isinstance(other, str)


def test_an_address_that_no_store_serves_is_refused(golden):
    with pytest.raises(SettingsError) as told:
        open_store("hdfs://namenode/fruits")
    golden("unsupported_hdfs", str(told.value))


@pytest.mark.parametrize("address", ["s3://", "s3a:///", "gs://"])
def test_an_address_without_a_bucket_is_refused(address):
    with pytest.raises(SettingsError, match="expected a bucket"):
        open_store(address)


def test_a_source_whose_bucket_has_a_wildcard_is_refused():
    with pytest.raises(SettingsError, match="expected a bucket, as in s3://bucket/folder"):
        parse_source("s3://fruits-*/x").check()


@pytest.mark.parametrize(("module", "address", "extra"), [("boto3", "s3://b", "s3"), ("google.cloud", "gs://b", "gcs")])
def test_a_missing_package_is_told_with_the_extra_that_has_it(monkeypatch, module, address, extra):
    monkeypatch.delitem(sys.modules, f"fruits_pipeline.storage.{extra}", raising=False)
    monkeypatch.delitem(sys.modules, f"fruits_pipeline.storage.{extra}_faults", raising=False)
    for name in [name for name in sys.modules if name.startswith(module)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingsError, match=rf"pip install 'fruits-pipeline\[{extra}\]'"):
        open_store(address)


def test_a_local_store_imports_no_cloud_client(tmp_path):
    code = (
        "import sys; from fruits_pipeline.storage.opening import open_store; open_store(sys.argv[1])\n"
        "sys.exit(bool({'boto3', 'botocore', 'google.cloud.storage', 'google.auth'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == 0
