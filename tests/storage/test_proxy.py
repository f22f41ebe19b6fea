import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from urllib3.exceptions import ProtocolError

from servers.faults import answer, reset, stall

BUCKET = "proxied"
KEY = "a b/c%20#+.jpg"
CONTENT = bytes(range(256)) * 400


@pytest.fixture
def client(seaweed, seaweed_proxy):
    """boto3 by the proxy, which never tries again."""
    seaweed.fill_s3(BUCKET, {KEY: CONTENT, "other": b"x"})
    found = boto3.client(
        "s3",
        endpoint_url=seaweed_proxy.url,
        aws_access_key_id=seaweed.access_key,
        aws_secret_access_key=seaweed.secret_key,
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    yield found
    found.close()


def read(client, key=KEY):
    with client.get_object(Bucket=BUCKET, Key=key)["Body"] as body:
        return body.read()


def test_requests_pass_with_their_signature_and_are_counted_by_kind(client, seaweed_proxy):
    client.put_object(Bucket=BUCKET, Key="new", Body=CONTENT)
    client.head_object(Bucket=BUCKET, Key="new")
    assert read(client) == CONTENT
    keys = [found["Key"] for found in client.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert set(keys) >= {KEY, "new"}
    client.delete_object(Bucket=BUCKET, Key="new")
    assert seaweed_proxy.counts == {"PUT": 1, "HEAD": 1, "GET": 1, "LIST": 1, "DELETE": 1}
    assert seaweed_proxy.gets == {KEY: 1}


def test_every_response_is_late(client, seaweed_proxy):
    seaweed_proxy.delay_s = 0.2
    started_s = time.monotonic()
    assert read(client) == CONTENT
    assert time.monotonic() - started_s >= 0.2


def test_an_answer_of_the_proxy_is_what_s3_would_say(client, seaweed_proxy):
    seaweed_proxy.add(answer(503, times=2), answer(403, KEY), answer(404, "other", kind="HEAD"))
    for code in ("SlowDown", "SlowDown", "AccessDenied"):
        with pytest.raises(ClientError, match=code):
            read(client)
    assert read(client, "other") == b"x"
    with pytest.raises(ClientError, match="404"):
        client.head_object(Bucket=BUCKET, Key="other")


def test_a_reset_in_mid_body_ends_the_connection(client, seaweed_proxy):
    seaweed_proxy.add(reset(KEY, times=1))
    with pytest.raises(ProtocolError):
        read(client)
    assert read(client) == CONTENT


def test_a_stall_in_mid_body_ends(client, seaweed_proxy):
    seaweed_proxy.add(stall(0.5, KEY, times=1))
    started_s = time.monotonic()
    assert read(client) == CONTENT
    assert time.monotonic() - started_s >= 0.5


def test_gcs_passes_by_both_of_its_interfaces(gcs, gcs_proxy):
    gcs.fill_gcs(BUCKET, {KEY: CONTENT})
    client = gcs.gcs_client(gcs_proxy.url)
    bucket = client.bucket(BUCKET)
    assert bucket.blob(KEY).download_as_bytes() == CONTENT
    assert bucket.get_blob(KEY).size == len(CONTENT)
    assert [blob.name for blob in bucket.list_blobs()] == [KEY]
    client.close()
    assert {kind: gcs_proxy.counts[kind] for kind in ("GET", "HEAD", "LIST")} == {"GET": 1, "HEAD": 1, "LIST": 1}


def test_moto_takes_and_gives(moto_server):
    moto_server.fill_s3(BUCKET, {KEY: CONTENT})
    client = moto_server.s3_client()
    assert read(client) == CONTENT
    client.close()
