"""Addresses and sources: how they are spelled, what a glob takes, which source and output exclude each other."""

import os

import pytest

from fruits_pipeline.errors import InputError, SettingsError
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.source import parse_source, refuse_overlap

ODD = ("a b", "100%", "a%20b", "#1", "x+y", "new\nline", "Яблоко", "苹果 🍎", "back\\slash", "~", "s3:", "a:b", " ")


def write(folder, *keys):
    for key in keys:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(b"x")


def keys(address):
    return [found.key for found in parse_source(str(address)).objects()]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_folder_name_is_spelled_as_it_is(tmp_path, name):
    plain = f"{tmp_path}/{name}"
    assert uri.normalise(plain) == uri.normalise(f"file://{plain}") == f"file://{plain}"
    assert uri.local_path(uri.normalise(plain)) == plain


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/data//fruits/", "file:///data/fruits"),
        ("/data/./a/../b", "file:///data/b"),
        ("//data", "file:///data"),
        ("/", "file:///"),
        ("file:/data", "file:///data"),
        ("file:///data/", "file:///data"),
        ("file:////data//x/..", "file:///data"),
        ("FILE:///data", "file:///data"),
        ("s3a://bucket/Apple Red 1/", "s3://bucket/Apple Red 1"),
        ("s3n://bucket", "s3://bucket"),
        ("S3://Bucket/a//b/../c", "s3://Bucket/a//b/../c"),
        ("gs://bucket/a%20b", "gs://bucket/a%20b"),
    ],
)
def test_an_address_has_one_spelling(address, expected):
    assert uri.normalise(address) == expected
    assert uri.normalise(expected) == expected


@pytest.mark.parametrize("address", ["s3n://KEY:SECRET@bucket/x", "gs://SECRET@bucket"])
def test_credentials_in_an_address_are_refused_without_showing_them(address):
    with pytest.raises(SettingsError, match="leave credentials to the environment") as told:
        parse_source(address)
    assert "SECRET" not in str(told.value)
    assert uri.normalise("s3://bucket/a@b") == "s3://bucket/a@b"


def test_a_plain_path_is_taken_from_here_and_a_tilde_from_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert uri.normalise("data/x") == f"file://{os.getcwd()}/data/x"  # noqa: PTH109 because links stay as they are
    assert uri.normalise("~/data") == "file:///home/me/data"


@pytest.mark.parametrize("root", ["file:///", "file:///a", "s3://bucket", "s3://bucket/a b"])
def test_what_is_joined_is_below(root):
    assert uri.below(uri.join(root, "x", "y"), root) == "x/y"
    assert uri.below(root, root) == ""
    assert uri.below(root + "x/y", root) == ("x/y" if root == "file:///" else None)


@pytest.mark.parametrize(
    ("address", "root", "pattern"),
    [
        ("/data/fruits", "file:///data/fruits", ""),
        ("/data/*", "file:///data", "*"),
        ("/data/fruits-?/[AB]*/x", "file:///data", "fruits-?/[AB]*/x"),
        ("/nowhere-*/Training", "file:///", "nowhere-*/Training"),
    ],
)
def test_the_root_of_a_source_ends_before_the_first_wildcard(address, root, pattern):
    source = parse_source(address)
    assert (source.root, source.pattern) == (root, pattern)
    assert str(source) == uri.normalise(address)


def test_a_glob_takes_whole_folders_and_a_star_no_slash(tmp_path):
    write(tmp_path, "one/Training/a/x", "two/Training/b/y", "two/Test/b/z", "one/top", "other")
    assert keys(f"{tmp_path}/*/Training") == ["one/Training/a/x", "two/Training/b/y"]
    assert keys(f"{tmp_path}/t?o/*/b") == ["two/Test/b/z", "two/Training/b/y"]
    assert keys(f"{tmp_path}/[!o]*/T*g") == ["two/Training/b/y"]
    assert keys(tmp_path) == ["one/Training/a/x", "one/top", "other", "two/Test/b/z", "two/Training/b/y"]


def test_a_folder_whose_name_has_wildcards_is_taken_as_it_is(tmp_path):
    write(tmp_path, "[fruits]*/x", "f/y")
    assert keys(f"{tmp_path}/[fruits]*") == ["x"]


def test_a_source_that_is_not_there_is_told(golden, tmp_path):
    with pytest.raises(InputError) as told:
        keys(tmp_path / "fruits")
    golden("source_not_found", str(told.value), source=tmp_path / "fruits")


def test_a_source_that_is_a_file_is_told(golden, tmp_path):
    write(tmp_path, "fruits.zip")
    with pytest.raises(InputError) as told:
        keys(tmp_path / "fruits.zip")
    golden("source_is_a_file", str(told.value), source=tmp_path / "fruits.zip")


def test_a_source_that_cannot_be_listed_is_told(golden, tmp_path, monkeypatch):
    write(tmp_path, "fruits/a/x")
    listed = os.scandir

    def refused(folder):
        if folder.endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(InputError) as told:
        keys(tmp_path / "fruits")
    golden("source_unreadable", str(told.value), source=tmp_path / "fruits")


@pytest.mark.parametrize(
    ("name", "source", "output"),
    [("output_inside_source", "fruits", "fruits/results"), ("source_inside_output", "out/fruits", "out")],
)
def test_source_and_output_inside_each_other_are_refused(golden, tmp_path, name, source, output):
    with pytest.raises(SettingsError) as told:
        refuse_overlap(parse_source(str(tmp_path / source)), str(tmp_path / output))
    golden(name, str(told.value), folder=tmp_path)


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("fruits", "fruits"),
        ("fruits", "fruits/../fruits/x"),
        ("fruits", "link/x"),
        ("link", "fruits"),
        ("*", "results"),
        ("f*/Training", "fruits"),
        ("f*/Training", "fruits/Training/deep/results"),
        ("f*", "."),
    ],
)
def test_an_output_that_the_next_listing_would_find_is_refused(tmp_path, source, output):
    (tmp_path / "fruits").mkdir()
    (tmp_path / "link").symlink_to("fruits")
    with pytest.raises(SettingsError, match="expected --output-uri outside --data-source"):
        refuse_overlap(parse_source(f"{tmp_path}/{source}"), f"{tmp_path}/{output}")


@pytest.mark.parametrize(
    ("source", "output"),
    [("fruits", "fruits-results"), ("f*", "results"), ("f*/Training", "fruits/results"), ("fruits", "a/fruits")],
)
def test_an_output_beside_the_source_is_allowed(tmp_path, source, output):
    refuse_overlap(parse_source(f"{tmp_path}/{source}"), f"{tmp_path}/{output}")


def test_an_output_inside_the_root_of_all_folders_is_refused():
    with pytest.raises(SettingsError, match="expected --output-uri outside --data-source"):
        refuse_overlap(parse_source("/"), "/results")


def test_another_scheme_is_another_place():
    refuse_overlap(parse_source("s3://bucket/fruits"), "/bucket/fruits")
    with pytest.raises(SettingsError, match="expected --output-uri outside --data-source"):
        refuse_overlap(parse_source("s3a://bucket/fruits"), "s3://bucket/fruits/results")
