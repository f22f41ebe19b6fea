"""Requests are counted by kind as the servers see them."""

from collections import Counter

import pytest

from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import request_counts
from fruits_pipeline.storage.fetch import Wanted, fetched
from fruits_pipeline.storage.opening import open_store
from servers.faults import answer
from servers.proxy import Proxy

# Each takes one request, on GCS too.
ONCE = {"put": 3, "get": 3, "head": 1}


@pytest.fixture(params=["s3", "gs"])
def proxied(request, seaweed, gcs, aws_environment, fresh_clients):  # noqa: ARG001 because fixtures take no marks
    """A store behind a proxy, and the proxy; nothing is counted yet."""
    is_s3 = request.param == "s3"
    server = seaweed if is_s3 else gcs
    (server.fill_s3 if is_s3 else server.fill_gcs)("counts", {})
    with Proxy(server.port) as proxy:
        endpoint = {"s3_endpoint_url": proxy.url, "s3_region": "us-east-1"}
        if not is_s3:
            endpoint = {"gcs_endpoint_url": proxy.url, "gcs_anonymous": True}
        store = open_store(f"{request.param}://counts/x", StorageSettings(**endpoint))
        proxy.is_s3, store.settings = is_s3, StorageSettings(**endpoint)
        request_counts.take()
        yield store, proxy
        (store._client if is_s3 else store._handle.client).close()


def seen(proxy):
    """The proxy's counts as ours are spelled; S3 deletes many keys by POST, GCS writes by it."""
    counts = Counter()
    for kind, count in proxy.counts.items():
        counts[{"POST": "delete" if proxy.is_s3 else "put"}.get(kind, kind.lower())] += count
    return counts


def test_the_counts_are_those_of_the_server(proxied):
    store, proxy = proxied
    for name in "abc":
        store.write(name, b"content")
    assert [found.key for found in store.objects()] == ["a", "b", "c"]
    assert store.stat("a")
    assert store.read("a") == b"content"
    assert list(fetched([Wanted(f"{store.root}/{name}", 7) for name in ("b", "c")], store.settings)) == [b"content"] * 2
    found = request_counts.so_far()
    assert found == ONCE | {"list": 1, "delete": 0}
    assert +Counter(found) == seen(proxy)
    store.delete(["a", "b", "c"])
    assert +Counter(request_counts.so_far()) == seen(proxy)
    assert request_counts.so_far()["delete"] == (1 if proxy.is_s3 else 3)


def test_a_request_that_is_sent_again_counts_again(proxied, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    store, proxy = proxied
    store.write("a", b"content")
    request_counts.take()
    proxy.add(answer(503, "x/a", times=2))
    assert store.read("a") == b"content"
    assert request_counts.so_far()["get"] == 3


def test_what_was_taken_begins_anew():
    request_counts.take()
    request_counts.note("get")
    assert request_counts.take() == {"get": 1}
    request_counts.note_all({"get": 2, "list": 1})
    assert request_counts.take() == {"get": 2, "list": 1}
    assert request_counts.take() == {}
