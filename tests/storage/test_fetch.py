import os
import threading
import time
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError

from fruits_pipeline.errors import StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import s3_reads
from fruits_pipeline.storage.fetch import Wanted, Window, fetched
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.single import Unread
from servers.faults import answer, reset, stall
from servers.proxy import Proxy

BUCKET = "fetched"
CONTENTS = {f"Training/Apple Red 1/{n}.jpg": os.urandom(3000 + n) for n in range(40)}
BIG = "big.jpg"
QUICK = Patience(silence_s=4, first_wait_s=0.05, longest_wait_s=0.2, retries=6, total_s=20)
WIDE = Window()
KEYS = list(CONTENTS)


@dataclass
class Place:
    """A bucket behind a proxy."""

    scheme: str
    settings: StorageSettings
    proxy: Proxy

    def wanted(self, keys):
        return [Wanted(f"{self.scheme}://{BUCKET}/{key}", 3000) for key in keys]

    def fetched(self, keys, window=WIDE, patience=QUICK, **how):
        return fetched(self.wanted(keys), self.settings, window, patience, **how)


@pytest.fixture
def s3(seaweed, seaweed_proxy, aws_environment):  # noqa: ARG001 because fixtures take no marks
    seaweed.fill_s3(BUCKET, filling(seaweed))
    settings = StorageSettings(s3_endpoint_url=seaweed_proxy.url, s3_region="us-east-1")
    return Place("s3", settings, seaweed_proxy)


@pytest.fixture
def gs(gcs, gcs_proxy):
    gcs.fill_gcs(BUCKET, filling(gcs))
    return Place("gs", StorageSettings(gcs_endpoint_url=gcs_proxy.url, gcs_anonymous=True), gcs_proxy)


FILLED = set()


def filling(server):
    """What is still to be put into a server of this session."""
    new = server.url not in FILLED
    FILLED.add(server.url)
    return {**CONTENTS, BIG: b"big" * 500_000} if new else {}


@pytest.fixture(params=["s3", "gs"])
def place(request):
    return request.getfixturevalue(request.param)


def test_contents_come_in_order_by_one_request_each(place):
    found = list(place.fetched([*KEYS, BIG]))
    assert found == [*CONTENTS.values(), b"big" * 500_000]
    assert place.proxy.counts == {"GET": len(KEYS) + 1}


def test_requests_run_ahead_and_no_further_than_the_window(place):
    place.proxy.clear(delay_s=0.1)
    found = place.fetched(KEYS, Window(threads=8, objects=12))
    assert next(found) == CONTENTS[KEYS[0]]
    time.sleep(0.5)
    assert place.proxy.counts["GET"] == 12
    assert place.proxy.most_at_once == 8
    assert list(found) == list(CONTENTS.values())[1:]


def test_bytes_that_wait_to_be_taken_are_bounded(place):
    found = place.fetched(KEYS, Window(held_bytes=4 * 3000))
    assert next(found) == CONTENTS[KEYS[0]]
    time.sleep(0.3)
    assert place.proxy.counts["GET"] == 4
    assert list(found) == list(CONTENTS.values())[1:]


def test_who_stops_early_stops_the_fetch(place):
    place.proxy.clear(delay_s=0.1)
    before = set(threading.enumerate())
    found = place.fetched(KEYS, Window(threads=4, objects=8))
    next(found)
    found.close()
    time.sleep(0.3)
    assert place.proxy.counts["GET"] <= 8
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("fetch")]


@pytest.mark.parametrize(
    "fault",
    [answer(503, times=60), answer(500, times=5), answer(429, times=5), reset(times=5), stall(5, BIG, times=1)],
    ids=["503", "500", "429", "reset", "stall"],
)
def test_what_passes_is_tried_again(place, fault):
    place.proxy.add(fault)
    keys = [*KEYS, BIG]
    assert list(place.fetched(keys)) == [*CONTENTS.values(), b"big" * 500_000]
    tries = place.proxy.counts["GET"] - len(keys)
    assert tries == fault.times


def test_one_key_in_trouble_is_that_key_only(place):
    place.proxy.add(answer(403, KEYS[1]), answer(404, KEYS[3]))
    found = dict(zip(KEYS, place.fetched(KEYS), strict=True))
    assert found[KEYS[1]] == Unread("forbidden", "storage answers 403 AccessDenied")
    assert found[KEYS[3]] == Unread("missing", "storage answers 404 NoSuchKey")
    assert {key: found[key] for key in KEYS if key not in (KEYS[1], KEYS[3])} == {
        key: content for key, content in CONTENTS.items() if key not in (KEYS[1], KEYS[3])
    }


def test_a_key_that_is_gone_is_missing(place):
    (found,) = place.fetched(["gone.jpg"])
    assert found.reason == "missing"


def test_an_object_that_has_grown_too_large_is_not_read(place):
    (found,) = place.fetched([BIG], Window(max_bytes=1000))
    assert found == Unread("too_many_bytes", "1500000 bytes, more than 1000")


def test_a_task_of_which_all_is_forbidden_is_the_source_s_fault(place):
    place.proxy.add(answer(403))
    with pytest.raises(StorageError, match="all forbidden"):
        list(place.fetched(KEYS))
    assert [found.reason for found in place.fetched(KEYS[:3])] == ["forbidden"] * 3


def test_images_that_were_refused_before_say_nothing_of_the_source(place):
    place.proxy.add(answer(403))
    assert {found.reason for found in place.fetched(KEYS, judge=False)} == {"forbidden"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (answer(400, code="ExpiredToken"), "ExpiredToken: .*get new ones"),
        (answer(403, code="InvalidAccessKeyId"), "credentials are not valid"),
        (answer(404, code="NoSuchBucket"), "create the bucket or correct its name"),
        (answer(301, code="PermanentRedirect"), "--s3-region"),
        (answer(503), "SlowDown"),
    ],
    ids=["expired", "unknown", "no bucket", "region", "down"],
)
def test_a_fault_of_the_source_is_told_with_what_to_check(s3, fault, told):
    s3.proxy.add(fault)
    with pytest.raises(StorageError, match=told):
        list(s3.fetched(KEYS))


def test_expired_credentials_of_gcs_are_told(gs):
    gs.proxy.add(answer(401, code="AuthenticationRequired"))
    with pytest.raises(StorageError, match="gcloud auth application-default login"):
        list(gs.fetched(KEYS))


@pytest.mark.usefixtures("aws_environment")
def test_a_server_that_is_not_there_is_told():
    settings = StorageSettings(s3_endpoint_url="http://127.0.0.1:9")
    with pytest.raises(StorageError, match="check the network"):
        list(fetched([Wanted("s3://bucket/key", 1)], settings, patience=QUICK))


@pytest.mark.usefixtures("aws_environment")
def test_the_bucket_says_its_region(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr("fruits_pipeline.storage.s3_reads.client", Elsewhere)
    store = s3_reads.opened("bucket", StorageSettings(), QUICK)
    assert store.config["region"] == "eu-west-3"


class Elsewhere:
    """S3's client, as it answers for a bucket in another region that may not be looked at."""

    def __init__(self, settings):
        pass

    def head_bucket(self, **_):
        headers = {"x-amz-bucket-region": "eu-west-3"}
        raise ClientError({"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPHeaders": headers}}, "HeadBucket")

    def close(self):
        pass


@pytest.mark.usefixtures("aws_environment")
def test_no_credentials_are_told(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageError, match="AWS_PROFILE"):
        list(fetched([Wanted("s3://bucket/key", 1)], StorageSettings(s3_endpoint_url="http://127.0.0.1:9")))


def test_odd_keys_are_read_as_they_are(place, seaweed, gcs):
    odd = ["a//b.jpg", "line\nbreak.jpg", "tab\tx.jpg", "a b/c%20d#e+f?.jpg", "we[ird]/{x},*.png", "Йцу/日本.JPG"]
    filled = {key: key.encode() for key in odd}
    (seaweed.fill_s3 if place.scheme == "s3" else gcs.fill_gcs)(BUCKET, filled)
    assert list(place.fetched(odd)) == list(filled.values())
    (dots,) = place.fetched(["a/../b.jpg"])
    assert dots.reason == "unaddressable_key"


def test_local_files_are_read_too(tmp_path):
    (tmp_path / "a b#%20.jpg").write_bytes(b"here")
    paths = [f"file://{tmp_path}/{name}" for name in ("a b#%20.jpg", "gone.jpg")]
    here, gone = fetched([Wanted(path, 4) for path in paths], StorageSettings())
    assert (here, gone.reason) == (b"here", "missing")
