"""Buckets as sources: folders, globs, whole buckets, markers of folders, and what is refused."""

import uuid

import pytest

from fruits_pipeline.errors import InputError, SettingsError
from fruits_pipeline.ingest.listing import listed
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.single import Single
from fruits_pipeline.storage.source import parse_source, refuse_overlap
from odd_names import IMAGE, NAMES


@pytest.fixture
def filled(bucket):
    """A bucket's folder with some keys, and the source of an address below it."""
    store = bucket()
    for key in ("one/Training/a/x", "two/Training/b/y", "two/Test/b/z", "one/top", "other", "two more/x"):
        store.write(key, b"1")

    def keys(pattern=""):
        source = parse_source(f"{store.root}/{pattern}", store._settings)
        source.check()
        return sorted(found.key for found in source.objects())

    return store, keys


def test_a_folder_gives_all_below_it_and_nothing_beside(filled):
    _, keys = filled
    everything = ["one/Training/a/x", "one/top", "other", "two more/x", "two/Test/b/z", "two/Training/b/y"]
    assert keys() == everything
    assert keys("two") == keys("two/") == ["Test/b/z", "Training/b/y"]
    assert keys("two more") == ["x"]


def test_a_glob_takes_whole_folders_and_a_star_no_slash(filled):
    _, keys = filled
    assert keys("*/Training") == ["one/Training/a/x", "two/Training/b/y"]
    assert keys("t?o/*/b") == ["two/Test/b/z", "two/Training/b/y"]
    assert keys("[!o]*/T*g") == ["two/Training/b/y"]


def test_a_whole_bucket_is_a_source(server, bucket):
    name = f"whole-{uuid.uuid4().hex}"
    store = bucket(name)
    if server == "fake_gcs_server":
        store._handle.client.create_bucket(name, project="test")
    else:
        store._client.create_bucket(Bucket=name)
    for key in ("top", "a/x"):
        store.write(key, b"1")
    for spelling in (store.root, f"{store.root}/", store.root.replace("s3:", "s3a:")):
        source = parse_source(spelling, store._settings)
        assert sorted(found.key for found in source.objects()) == ["a/x", "top"]
        assert source.root == store.root
    assert store.read("a/x") == b"1"


def test_what_marks_a_folder_is_no_object_but_a_name_that_ends_so_and_holds_something_is(bucket):
    store = bucket()
    for key, content in (("", b""), ("a/", b""), ("a_$folder$", b""), ("a/empty", b""), ("b_$folder$", b"1")):
        store.write(key or "x/", content)
    assert [found.key for found in store.objects()] == ["a/empty", "b_$folder$"]


@pytest.mark.parametrize("path", ["fruits/no-such-folder", "no-such-bucket/x"])
def test_a_folder_without_an_object_and_a_bucket_that_is_not_there_are_refused_as_input(bucket, path):
    store = bucket(path)
    with pytest.raises(InputError, match=r"found no object; check --data-source|create the bucket"):
        parse_source(store.root, store._settings).check()


def test_every_odd_name_that_a_key_can_hold_is_listed_as_the_table_says(bucket, server):
    store = bucket()
    respelled = {"two slashes", "backslash"} if server == "seaweedfs" else set()  # by that server, for its folders
    expected = {name.key: name for kind, name in NAMES.items() if name.in_bucket and kind not in respelled}
    for key in expected:
        store.write(key, b"1")
    rows = [row for part in listed(parse_source(store.root, store._settings)) for row in part.to_pylist()]
    found = {row["path"].removeprefix(f"{store.root}/"): row for row in rows}
    assert found.keys() == expected.keys()
    for key, name in expected.items():
        assert (key, found[key]["skip_reason"] or IMAGE) == (key, name.listed)
        assert found[key]["skip_reason"] or found[key]["label"] == name.label
        assert found[key]["source_path"] == found[key]["path"] == f"{store.root}/{key}"
    single = Single(store._settings, Patience(), 100)
    assert [key for key, row in found.items() if single.read(row["path"]) != b"1"] == []


def test_the_name_of_an_object_is_no_folder(filled):
    _, keys = filled
    with pytest.raises(InputError, match=r"expected a folder of images at .*, found no object"):
        keys("other")


def test_an_output_inside_a_source_in_a_bucket_is_refused_whatever_the_scheme():
    for source, output in (
        ("s3://bucket/fruits", "s3a://bucket/fruits/out"),
        ("s3n://bucket", "s3://bucket/out"),
        ("gs://bucket/*/Training", "gs://bucket/fruits/Training/out"),
        ("gs://bucket/fruits/in", "gs://bucket/fruits"),
    ):
        with pytest.raises(SettingsError, match="expected --output-uri outside --data-source"):
            refuse_overlap(parse_source(source), output)
    for source, output in (("s3://bucket/fruits", "s3://bucket/fruits-out"), ("s3://bucket", "gs://bucket/out")):
        refuse_overlap(parse_source(source), output)
