"""What goes over the wire: who pays, who encrypts, how many requests a listing takes, and never a secret."""

import logging
import pickle
import tracemalloc
from itertools import islice
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from stub import Answer

from conftest import KEY_ID, SECRET
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import s3
from fruits_pipeline.storage.opening import open_store

THEN = "2026-11-21T10:00:00.000Z"


def use_all(store, file):
    file.write_bytes(bytes(9 << 20))
    store.write("a", b"1")
    store.put("large", file)
    store.create("b", b"2")
    store.read("a")
    store.read_versioned("a")
    store.stat("a")
    store.checksum("a")
    list(store.objects())
    store.delete(["a", "large", "\x01"])


def test_requester_pays_and_the_kms_key_are_named_in_every_request_of_s3_that_takes_them(moto, tmp_path):
    paying = moto.model_copy(update={"s3_requester_pays": True, "s3_sse_kms_key_id": "alias/fruit"})
    store, seen = open_store("s3://fruits/paying", paying), []
    store._client.meta.events.register("before-send.s3", lambda request, **_more: seen.append(request))
    use_all(store, tmp_path / "file")
    assert all(request.headers.get("x-amz-request-payer") in ("requester", b"requester") for request in seen)
    writes = [one for one in seen if (one.method == "PUT" and "partNumber" not in one.url) or "uploads" in one.url]
    assert len(writes) == 3
    for request in writes:
        assert request.headers["x-amz-server-side-encryption"] == b"aws:kms"
        assert request.headers["x-amz-server-side-encryption-aws-kms-key-id"] == b"alias/fruit"


@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "https://fruits.s3.amazonaws.com/x"),
        ({"s3_path_style": True}, "https://s3.eu-west-1.amazonaws.com/fruits/x"),
        ({"s3_endpoint_url": "http://host:1"}, "http://host:1/fruits/x"),
        ({"s3_endpoint_url": "http://host:1", "s3_path_style": False}, "http://fruits.host:1/x"),
    ],
)
def test_the_bucket_stands_in_the_path_where_that_is_asked_for_or_an_endpoint_is_given(settings, url):
    client = s3.client(StorageSettings(s3_region="eu-west-1", **settings))
    signed = client.generate_presigned_url("head_object", Params={"Bucket": "fruits", "Key": "x"})
    assert signed.partition("?")[0] == url


def test_the_billing_project_is_named_in_every_request_of_gcs(fake_gcs_server, tmp_path, monkeypatch):
    seen, send = [], requests.Session.send

    def watched(session, request, **options):
        seen.append(request.url)
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", watched)
    paying = fake_gcs_server.model_copy(update={"gcs_billing_project": "payer"})
    use_all(open_store("gs://fruits/paying", paying), tmp_path / "file")
    assert len(seen) >= 13
    sessions = [url for url in seen if "upload_id" in url]  # whose URL the server chooses
    assert all(parse_qs(urlsplit(url).query)["userProject"] == ["payer"] for url in seen if url not in sessions)


def s3_page(number, pages):
    one = "<Contents><Key>f/{:07d}.jpg</Key><Size>1</Size><LastModified>" + THEN + "</LastModified></Contents>"
    more = f"<NextContinuationToken>{number + 1}</NextContinuationToken>" if number < pages - 1 else ""
    items = "".join(one.format(number * 1000 + place) for place in range(1000))
    truncated = str(bool(more)).lower()
    return f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{more}{items}</ListBucketResult>".encode()


def gcs_page(number, pages):
    one = '{"name": "f/%07d.jpg", "size": "1", "updated": "' + THEN + '"}'
    more = f', "nextPageToken": "{number + 1}"' if number < pages - 1 else ""
    items = ", ".join(one % (number * 1000 + place) for place in range(1000))
    return f'{{"items": [{items}]{more}}}'.encode()


PAGE_OF = {"s3": (s3_page, "continuation-token"), "gs": (gcs_page, "pageToken")}


@pytest.fixture(params=PAGE_OF)
def listed(request, stub):
    """The listing of a store that has so many pages of 1,000 keys."""
    page, token = PAGE_OF[request.param]
    settings = StorageSettings(s3_endpoint_url=stub.url, gcs_endpoint_url=stub.url, gcs_anonymous=True)
    store = open_store(f"{request.param}://bucket/f", settings)

    def listing(pages):
        def answer(_method, path):
            number = int(parse_qs(urlsplit(path).query).get(token, ["0"])[0])
            return Answer(200, page(number, pages), {"Content-Type": "application/json"})

        stub.script = [answer]
        return store.objects()

    return listing


def test_a_listing_takes_one_request_for_a_thousand_keys_and_only_when_they_are_needed(listed, stub):
    listing = listed(8)
    assert next(listing).key == "0000000.jpg"
    assert len(stub.seen) == 1
    assert len(list(islice(listing, 2500))) == 2500
    assert len(stub.seen) == 3
    assert sum(1 for _ in listing) == 8000 - 2501
    assert len(stub.seen) == 8


def test_a_long_listing_needs_no_more_memory_than_a_short_one(listed):
    def peak(pages):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert sum(1 for _ in listed(pages)) == pages * 1000
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        peak(1)
        assert peak(4) < 2 * peak(1)
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("fresh_clients")
def test_no_log_line_or_message_holds_a_secret(bucket, caplog, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-that-no-log-may-hold")
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    caplog.set_level(logging.DEBUG, logger="fruits_pipeline")
    said = []
    for store in (bucket(), bucket("no-such-bucket/x"), bucket("fruits/x", s3_endpoint_url="http://127.0.0.1:9")):
        try:
            use_all(store, tmp_path / "file")
            with store.hold("_state/lease", "me"):
                pass
        except FruitsError as error:
            said.append(str(error))
    everything = caplog.text + "".join(said) + repr(store) + repr(store._settings)
    assert said
    for secret in (SECRET, "token-that-no-log-may-hold", KEY_ID):
        assert secret not in everything


def test_settings_travel_to_workers_as_they_are():
    settings = StorageSettings(s3_region="eu-west-1", gcs_billing_project="payer", s3_path_style=False)
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 because these are our own bytes
