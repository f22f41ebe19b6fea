"""A bundle's job on a real YARN, in cluster mode, between buckets: equal to a laptop's, whatever dies on the way."""

import gzip
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from daemons import NODES, Yarn
from submission import BIN, BUCKET, SMALL, Cluster, Ended

from fruits_pipeline.clusters.templates import load
from fruits_pipeline.demo.draw import draw_sample
from outputs import assert_equal_results, record

# What fits two nodes of 4 GiB, and beside a driver one of them.
SIZES = {
    "executors": 2,
    "executor_cores": 2,
    "executor_memory": "900m",
    "executor_memory_overhead": "1000m",
    "driver_memory": "1g",
}
SOURCE = f"{BUCKET}/photos"
CLASSES = 10
PATIENCE_S = 240.0


@pytest.fixture(scope="session")
def images(shared_folder, tmp_path_factory) -> Path:
    """Ten real classes where they are, 52 images each; else the drawn sample."""
    real = shared_folder / "data" / "fruits-360"
    folder = tmp_path_factory.mktemp("images") / "images"
    if not real.is_dir():
        draw_sample(folder, images_per_label=52)
        return folder
    for split, images_per_label in (("Training", 40), ("Test", 12)):
        for label in sorted(path.name for path in (real / split).iterdir())[:CLASSES]:
            (folder / split / label).mkdir(parents=True)
            for file in sorted((real / split / label).iterdir())[:images_per_label]:
                (folder / split / label / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.fixture(scope="session")
def laptop(images, cluster, tmp_path_factory) -> Path:
    """The output of the same job on this machine."""
    output = tmp_path_factory.mktemp("laptop") / "output"
    words = [BIN / "fruits-pipeline", "run", "--data-source", images, "--output-uri", output, *SMALL]
    words += ["--cache-dir", cluster.bundle.parent / "cache"]
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([str(word) for word in words], check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="session")
def source(cluster: Cluster, images) -> str:
    files = images.rglob("*.jpg")
    cluster.server.fill_s3("fruits", {f"photos/{file.relative_to(images)}": file.read_bytes() for file in files})
    return SOURCE


@pytest.fixture(autouse=True)
def _as_before(running: Yarn):
    """What a test has left running is ended, and a node that it has lost is there again for the next."""
    yield
    running.end_containers()
    for number, host in enumerate(NODES):
        if f"node_manager-{number}" not in running.processes:
            running.start_node(number, host)


def until(cluster: Cluster, output: str, waves: int, process: subprocess.Popen[str]) -> None:
    """Waits until so many waves are marked."""
    deadline = time.monotonic() + PATIENCE_S
    while len(cluster.keys(f"{output.removeprefix(BUCKET + '/')}/_state/waves/")) < waves:
        assert process.poll() is None, process.communicate()[0][-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.5)


def kill(cluster: Cluster, command: str) -> None:
    """Kills one process of a container whose command line holds ``command``."""
    victims = cluster.yarn.containers(command=command)
    assert victims, command
    os.kill(victims[0], signal.SIGKILL)


def ended(process: subprocess.Popen[str]) -> Ended:
    said = process.communicate(timeout=500)[0]
    return Ended(process.returncode, said)


def test_the_step_gives_what_a_laptop_gives(cluster, source, images, laptop, tmp_path):
    done = cluster.submit(cluster.step(source, f"{BUCKET}/equal", **SIZES))
    assert done.code == 0, done.said[-3000:]
    output = cluster.download(f"{BUCKET}/equal", tmp_path)
    assert_equal_results(laptop, output, images, source)
    assert record(output)["exit_code"] == 0


def test_an_archive_that_was_replaced_in_the_bucket_is_not_worked_with(cluster, source):
    (key,) = (key for key in cluster.keys("packages/") if key.endswith("models.tar.gz"))
    client = cluster.server.s3_client()
    content = client.get_object(Bucket="fruits", Key=key)["Body"].read()
    client.put_object(Bucket="fruits", Key=key, Body=gzip.compress(gzip.decompress(content), 1))
    try:
        done = cluster.submit(cluster.step(source, f"{BUCKET}/replaced", **SIZES))
    finally:
        client.put_object(Bucket="fruits", Key=key, Body=content)
    assert done.code == 1
    found = cluster.record(f"{BUCKET}/replaced")
    assert (found["exit_code"], "somebody has replaced it" in found["error"]) == (6, True), found["error"]
    assert cluster.keys("replaced/manifest/") == []


def test_the_jobs_own_exit_code_is_in_its_record(cluster):
    done = cluster.submit(cluster.step(f"{BUCKET}/absent", f"{BUCKET}/failed", **SIZES))
    assert done.code == 1, done.said[-3000:]  # because cluster mode knows no other
    assert cluster.record(f"{BUCKET}/failed")["exit_code"] == 3


def test_a_killed_worker_an_executor_and_a_node_cost_no_row(cluster, source, images, laptop, tmp_path):
    address = f"{BUCKET}/lossy"
    process = cluster.popen(cluster.step(source, address, "--wave-images", 40, **SIZES))
    until(cluster, address, 1, process)
    kill(cluster, "pyspark.daemon")
    until(cluster, address, 3, process)
    kill(cluster, "CoarseGrainedExecutorBackend")
    until(cluster, address, 5, process)
    cluster.yarn.kill(
        next(node for node in cluster.yarn.nodes() if not cluster.yarn.containers(node, "ApplicationMaster"))
    )
    done = ended(process)
    assert done.code == 0, done.said[-3000:]
    assert_equal_results(laptop, cluster.download(address, tmp_path), images, source)


def test_a_killed_driver_is_resumed_by_the_same_step(cluster, source, images, laptop, tmp_path):
    address = f"{BUCKET}/resumed"
    line = cluster.step(source, address, "--wave-images", 40, **SIZES)
    process = cluster.popen(line)
    until(cluster, address, 3, process)
    for part in ("run.py --output-uri", "ApplicationMaster"):
        kill(cluster, part)
    assert ended(process).code == 1
    marked = cluster.objects("resumed/_state/waves/")
    assert 3 <= len(marked) < 13
    done = cluster.submit(line)
    assert done.code == 0, done.said[-3000:]
    after = cluster.objects("resumed/_state/waves/")
    assert {key: after[key] for key in marked} == marked
    assert_equal_results(laptop, cluster.download(address, tmp_path), images, source)


def test_the_step_that_cancels_ends_the_job_on_yarn(cluster, source, tmp_path):
    line = cluster.step(source, f"{BUCKET}/cancelled", **SIZES)
    process = cluster.popen(line)
    deadline = time.monotonic() + PATIENCE_S
    while not cluster.yarn.metrics()["appsRunning"] and time.monotonic() < deadline:
        time.sleep(0.5)
    (step,) = load("emr/cancel-step.json", {"JOB_ID": line[line.index("--name") + 1]})
    done = cluster.run("/usr/bin/env", *step["Args"], PATH=cluster.path_with_yarn(tmp_path))
    assert "Killed application" in done.said
    assert ended(process).code == 1
    assert cluster.yarn.metrics()["appsKilled"] == 1


def test_too_little_memory_ends_with_the_setting_to_raise(cluster, source):
    sizes = {**SIZES, "executors": 1, "executor_memory": "512m", "executor_memory_overhead": "100m"}
    done = cluster.submit(cluster.step(source, f"{BUCKET}/small", **sizes))
    assert done.code == 1
    found = cluster.record(f"{BUCKET}/small")
    assert (found["exit_code"], "--executor-memory-overhead" in found["error"]) == (7, True), found["error"]
