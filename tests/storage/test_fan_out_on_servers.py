"""Listing folders at a time on real servers: the same objects as one listing, and requests under way together."""

import re

import pytest

from conftest import BUCKET
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import source
from fruits_pipeline.storage.opening import open_store

LABELS = [f"Label {number}" for number in range(10)]
ORDINARY = [f"{split}/{label}/{number}.jpg" for split in ("Test", "Training") for label in LABELS for number in (1, 2)]
BESIDE = ["Training.jpg", "Training-2/x", "a.jpg", "a/1", "a0", "notes.txt", "é/1", "e\u0301/1", "🍎/x", "100%/#?+ &/x"]
# SeaweedFS is a file system behind S3.
ODD = ["a//b", "a/./b", "a/../b", "/lead", "//", "tab\t/x"]


@pytest.fixture
def filled(server, bucket):
    store = bucket()
    for key in [*ORDINARY, *BESIDE, *(ODD if server != "seaweedfs" else [])]:
        store.write(key, b"1")
    store.write("mark/", b"")
    return store


def test_the_objects_are_those_of_one_listing(filled):
    plain, parallel = (sorted(found, key=str) for found in (filled.objects(), filled.objects_in_parallel()))
    assert len(parallel) >= len(ORDINARY) + len(BESIDE)
    assert parallel == plain


def test_a_local_folder_is_listed_as_ever(tmp_path):
    store = open_store(str(tmp_path))
    for key in ORDINARY:
        store.write(key, b"1")
    assert list(store.objects_in_parallel()) == list(store.objects())


@pytest.mark.usefixtures("aws_environment", "fresh_clients")
@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_answers_that_come_late_are_waited_for_together(request, scheme):
    server = request.getfixturevalue("seaweed" if scheme == "s3" else "gcs")
    (server.fill_s3 if scheme == "s3" else server.fill_gcs)(BUCKET, {f"late/{key}": b"1" for key in ORDINARY})
    proxy = request.getfixturevalue("seaweed_proxy" if scheme == "s3" else "gcs_proxy")
    settings = StorageSettings(
        s3_endpoint_url=proxy.url, s3_region="us-east-1", gcs_endpoint_url=proxy.url, gcs_anonymous=True
    )
    store = open_store(f"{scheme}://{BUCKET}/late", settings)
    proxy.clear(delay_s=0.2)
    assert sorted(found.key for found in store.objects_in_parallel()) == sorted(ORDINARY)
    assert proxy.counts["LIST"] == 1 + 2 + 2 * len(LABELS)
    assert proxy.most_at_once >= 6
    proxy.clear(delay_s=0.2)
    assert list(store.read_many(ORDINARY)) == [b"1"] * len(ORDINARY)
    assert (proxy.counts["GET"], proxy.most_at_once) == (len(ORDINARY), 10)
    proxy.clear()
    assert len(list(store.objects("Test"))) == 2 * len(LABELS)
    assert proxy.counts["LIST"] == 1
    proxy.clear(delay_s=0.2)
    store.delete([*ORDINARY, "absent"])
    assert list(store.objects()) == []
    assert (proxy.counts["DELETE"], proxy.most_at_once) == ((len(ORDINARY) + 1, 10) if scheme == "gs" else (0, 1))


def test_a_source_is_listed_so_and_says_how_far_it_is(bucket, caplog, monkeypatch):
    monkeypatch.setattr(source, "_TELL_EVERY_S", 0.0)
    caplog.set_level("INFO")
    store = bucket()
    for key in ORDINARY:
        store.write(key, b"1")
    found = source.parse_source(f"{store.root}/T*", store._settings).objects()
    assert sorted(one.key for one in found) == sorted(ORDINARY)
    assert len(re.findall(r"listed objects=\d+ objects_per_s=\d+", caplog.text)) == len(ORDINARY)
