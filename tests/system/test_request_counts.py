"""``run.json`` counts the requests that the server saw: of our clients, of the workers and of Hadoop's connectors."""

import json

import pytest

from servers.proxy import Proxy

# run.json itself, and the end of the lease: they come when the count is already written.
AFTERWARDS = 2


@pytest.fixture(params=["s3", "gs"])
def counted(request, sample, command):
    """What ``extract`` in a bucket counted, and what a proxy before the server did."""
    scheme = request.param
    server = request.getfixturevalue("seaweed" if scheme == "s3" else "gcs")
    fill = server.fill_s3 if scheme == "s3" else server.fill_gcs
    fill("counted", {f"photos/{file.relative_to(sample)}": file.read_bytes() for file in sample.rglob("*.jpg")})
    words = ("--data-source", f"{scheme}://counted/photos", "--output-uri", f"{scheme}://counted/out")
    with Proxy(server.port) as proxy:
        environment = {"FRUITS_GCS_ENDPOINT_URL": proxy.url, "FRUITS_GCS_ANONYMOUS": "true"}
        if scheme == "s3":
            endpoint = {"FRUITS_S3_ENDPOINT_URL": proxy.url, "FRUITS_S3_REGION": "us-east-1"}
            environment = endpoint | server.environment()
        ended = command("extract", *words, **environment)
        assert ended.code == 0, ended.err
        seen = dict(proxy.counts)
    if scheme == "s3":
        content = server.s3_client().get_object(Bucket="counted", Key="out/run.json")["Body"].read()
    else:
        content = server.gcs_client().bucket("counted").blob("out/run.json").download_as_bytes()
    return scheme, json.loads(content)["cost"], seen


def test_every_request_is_counted(counted):
    scheme, cost, seen = counted
    ours, theirs = cost["requests"], cost["connector_requests"]
    assert sum(ours.values()) + theirs["total"] == sum(seen.values()) - AFTERWARDS
    assert 0 < cost["core_hours"] < 100 * cost["hours"]
    assert cost["at_most"] is None
    if scheme == "s3":
        assert ours["get"] + theirs["get"] == seen["GET"]
        assert ours["head"] + theirs["head"] == seen["HEAD"]
        # Deletions of many keys are POSTs, and lists of unfinished uploads are counted as PUTs, whose price they have.
        dear = sum(kinds[kind] for kinds in (ours, theirs) for kind in ("list", "put", "delete"))
        assert dear == sum(seen.get(kind, 0) for kind in ("LIST", "PUT", "POST", "DELETE")) - AFTERWARDS
