"""A holder whose server stops to answer: it stops by itself before another job may take its lease."""

import threading
import time
import uuid

import pytest
from stub import Answer

from conftest import BUCKET
from fruits_pipeline.errors import StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.gcs import GcsStore
from fruits_pipeline.storage.lease_taking import LeaseTiming
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.s3 import S3Store
from servers.proxy import Proxy

KEY = "_state/lease"
# The real ones, a third as long: shorter ones are lost where a busy machine or its server halts for some seconds.
TIMING = LeaseTiming(heartbeat_s=3.3, look_s=0.7, stale_s=10, margin_s=1, request_s=1.3, watch_s=0.1)
LOST = "found no answer from storage for 9 s"


@pytest.fixture(params=["seaweedfs", "moto", "gcs"])
def both(request):
    """A proxy, a store that goes by it, and one that goes straight to the same folder."""
    root = f"{BUCKET}/{uuid.uuid4().hex}"
    if request.param == "gcs":
        server = request.getfixturevalue("gcs")
        server.fill_gcs(BUCKET, {})
        kind, root, straight = (
            GcsStore,
            f"gs://{root}",
            StorageSettings(gcs_endpoint_url=server.url, gcs_anonymous=True),
        )
        port, endpoint = server.port, "gcs_endpoint_url"
    else:
        straight = request.getfixturevalue(request.param)
        kind, root, endpoint = S3Store, f"s3://{root}", "s3_endpoint_url"
        port = int(straight.s3_endpoint_url.rpartition(":")[2])
    with Proxy(port) as proxy:
        stores = [kind(root, straight.model_copy(update={endpoint: proxy.url})), kind(root, straight)]
        for store in stores:
            store.timing = TIMING
        yield proxy, *stores


def test_a_holder_whose_server_stalls_stops_before_another_takes_over_and_writes_no_more(both):
    proxy, stalled, other = both
    lost_s, refused = [], []

    def outlive_the_lease():
        with stalled.hold(KEY, "the stalled one") as lease:
            lease.on_loss(lambda: lost_s.append(time.monotonic()))
            stalled.write("x", b"before")
            time.sleep(2 * TIMING.heartbeat_s)
            lease.check()
            proxy.paused = True
            under_way = threading.Thread(target=lambda: refused.append(error_of(stalled.write, "y", b"late")))
            under_way.start()
            take_over(under_way)
            raise ZeroDivisionError

    def take_over(under_way):
        with other.hold(KEY, "the next") as next_one:
            taken_s = time.monotonic()
            assert not isinstance(next_one, str)
            assert [at_s < taken_s for at_s in lost_s] == [True]
            proxy.paused = False
            under_way.join()
            refused.extend(error_of(write, "z", b"late") for write in (stalled.write, stalled.create))
            refused.append(error_of(stalled.delete, ["x"]))
            time.sleep(1)  # for renewals that were held back
            assert b"the next" in other.read(KEY)
            assert (other.read("x"), other.stat("z")) == (b"before", None)
            other.write("x", b"after")

    told = error_of(outlive_the_lease)
    assert isinstance(told.__cause__, ZeroDivisionError)
    assert [LOST in str(error) for error in (told, *refused)] == [True] * 5
    assert len(lost_s) == 1
    assert other.read(KEY) == b""


def test_a_stall_that_ends_in_time_costs_nothing(both):
    proxy, stalled, _ = both
    # Renewals fail within each stall, and the lease itself outlives any.
    stalled.timing = LeaseTiming(heartbeat_s=1.6, look_s=0.3, request_s=0.6, watch_s=0.1)
    with stalled.hold(KEY, "me") as lease:
        lease.on_loss(lambda: pytest.fail("lost"))
        for _ in range(2):
            proxy.paused = True
            time.sleep(1.2)
            proxy.paused = False
            time.sleep(2)
        stalled.write("x", b"1")


class LostBeforeTheRetry:
    """A lease that is lost once one request was sent."""

    def __init__(self):
        self.checks = 0

    def check(self):
        self.checks += 1
        if self.checks > 1:
            raise StorageError("lost")


# Google's library leaves the connection of a failed request open until it is collected, as the stub's fixture does.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("scheme", ["s3", "gs"])
@pytest.mark.parametrize("way", ["write", "create", "put"])
def test_no_retry_of_a_write_is_sent_once_the_lease_is_lost(stub, scheme, way, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    settings = StorageSettings(s3_endpoint_url=stub.url, gcs_endpoint_url=stub.url, gcs_anonymous=True)
    store = open_store(f"{scheme}://bucket/folder", settings)
    store._lease = LostBeforeTheRetry()
    store._fence()
    stub.script = [Answer(503), Answer(200, b"{}", {"ETag": '"1"'})]
    (tmp_path / "file").write_bytes(b"1")
    assert str(error_of(getattr(store, way), "x", tmp_path / "file" if way == "put" else b"1")) == "lost"
    assert len(stub.seen) == 1


def error_of(write, *arguments):
    with pytest.raises(StorageError) as told:
        write(*arguments)
    return told.value
