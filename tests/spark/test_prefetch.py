"""The feature job on images in buckets, read by ``prefetch`` through a proxy; no Hadoop connector is there."""

import uuid

import numpy as np
import pytest
from feature_jobs import Bench, mean_colour_model, picture

from fruits_pipeline.errors import InputError, StorageError
from fruits_pipeline.features.readers import choice
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.counts import Change
from fruits_pipeline.storage.patience import Patience
from servers.faults import answer, reset, stall

COLOURS = {f"Training/Kiwi {n % 3}/{n}.png": (n, 2 * n, 200 - n) for n in range(60)}
KEYS = list(COLOURS)
QUICK = Patience(silence_s=3, first_wait_s=0.05, longest_wait_s=0.5, retries=8, total_s=30)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return mean_colour_model(tmp_path_factory.mktemp("model"))


class BucketBench(Bench):
    """A bucket of its own behind a proxy as the source, a local folder as the output."""

    patience = QUICK

    def put(self, fill, scheme, storage):
        bucket = f"bench-{uuid.uuid4().hex[:8]}"
        fill(bucket, {key: picture(colour) for key, colour in COLOURS.items()})
        self.address, self.storage = f"{scheme}://{bucket}", storage


@pytest.fixture
def s3(spark, tmp_path, model, seaweed, seaweed_proxy, aws_environment, monkeypatch):  # noqa: ARG001, PLR0913, PLR0917 because fixtures take no marks
    for name, value in seaweed.environment().items():
        monkeypatch.setitem(spark.sparkContext.environment, name, value)
    bench = BucketBench(spark, tmp_path, model)
    bench.put(seaweed.fill_s3, "s3", StorageSettings(s3_endpoint_url=seaweed_proxy.url, s3_region="us-east-1"))
    bench.proxy = seaweed_proxy
    return bench


@pytest.fixture
def gs(spark, tmp_path, model, gcs, gcs_proxy):
    bench = BucketBench(spark, tmp_path, model)
    bench.put(gcs.fill_gcs, "gs", StorageSettings(gcs_endpoint_url=gcs_proxy.url, gcs_anonymous=True))
    bench.proxy = gcs_proxy
    return bench


@pytest.fixture(params=["s3", "gs"])
def bench(request):
    return request.getfixturevalue(request.param)


def check(bench, keys):
    table = bench.table("features")
    assert sorted(table.index) == sorted(keys)
    for key in keys:
        np.testing.assert_allclose(table.loc[key, "features"], COLOURS[key], atol=1e-4)


def test_each_image_costs_one_request(bench):
    found = bench.list()
    bench.proxy.clear(delay_s=0.03)
    counts = bench.compute(found)
    assert (counts.found, counts.read, counts.rejected) == (len(KEYS), len(KEYS), 0)
    check(bench, KEYS)
    # One more is the look before the first wave.
    assert bench.proxy.counts == {"GET": len(KEYS) + 1}


def test_faults_of_single_images_are_rejects_and_nothing_is_lost(bench):
    found = bench.list()
    bench.proxy.add(answer(403, KEYS[7]), answer(404, KEYS[8]), reset(KEYS[9], times=1), stall(5, KEYS[10], times=1))
    bench.proxy.add(*(answer(503, key, times=3) for key in KEYS[20:50]))
    counts = bench.compute(found)
    assert (counts.found, counts.read) == (60, 58)
    assert counts.reject_reasons == {"forbidden": 1, "missing": 1}
    rejects = bench.table("rejects")
    assert dict(rejects["reason"]) == {KEYS[7]: "forbidden", KEYS[8]: "missing"}
    check(bench, [key for key in KEYS if key not in (KEYS[7], KEYS[8])])
    bench.proxy.clear()
    assert bench.run().read == 60
    assert bench.change == Change(carried=58, computed=2)
    check(bench, KEYS)


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        (
            answer(400, code="ExpiredToken"),
            InputError,
            "expected a source that can be read, but .*ExpiredToken.*get new",
        ),
        (answer(403), StorageError, r"is forbidden.*grant s3:GetObject on arn:aws:s3:::bench-\w+/\S.* to the workers"),
    ],
    ids=["expired", "forbidden"],
)
def test_a_source_that_workers_cannot_read_ends_the_job_before_the_first_wave(s3, fault, kind, told):
    found = s3.list()
    s3.proxy.add(fault)
    with pytest.raises(kind, match=told):
        s3.compute(found)
    assert s3.waves() == {}


def test_auto_takes_spark_s_own_source_where_only_that_can_read(spark, tmp_path, model, monkeypatch, caplog):
    monkeypatch.setattr(choice, "_fault", lambda *_: "there are no credentials")
    bench = Bench(spark, tmp_path, model)
    bench.add("a.png", picture((1, 2, 3)))
    assert bench.run().read == 1
    assert (
        "reader=binaryfile because a Spark worker could not open the images by itself: there are no credentials"
        in caplog.text
    )


def test_storage_that_fails_on_the_way_is_told_and_the_same_command_resumes(s3):
    found = s3.list(wave_images=20)
    s3.proxy.add(answer(503, KEYS[-1]))
    with pytest.raises(StorageError, match="SlowDown"):
        s3.compute(found)
    s3.proxy.clear()
    assert s3.compute(found).read == len(KEYS)
    check(s3, KEYS)


def test_local_files_are_prefetched(spark, tmp_path, model):
    local = Bench(spark, tmp_path, model, batch_rows=7)
    for key, colour in COLOURS.items():
        local.add(key, picture(colour))
    local.add("odd:name\n.png", b"text")
    gone = local.add("gone.png", b"text")
    found = local.list()
    gone.unlink()
    counts = local.compute(found)
    assert counts.reject_reasons == {"missing": 1, "not_an_image": 1}
    check(local, KEYS)
