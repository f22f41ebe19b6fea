"""What dies beside the driver: a Python worker, an executor, the space on the disk, the server of the output."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from kill import processes
from outputs import assert_equal_results, record
from servers.seaweed import seaweed_ports, seaweedfs_in

# Ends the worker that decodes the first image, or the daemon that starts workers, once.
SABOTAGE = """
import os, signal
import fruits_pipeline.images.decode as module
whole = module.decode
def decode(*words):
    try:
        os.close(os.open({flag!r}, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return whole(*words)
    os.kill(os.{victim}(), signal.SIGKILL)
    return whole(*words)
module.decode = decode
"""
_SOON_S = 240.0


def wait_for(pattern, folder, runner):
    """Waits until something appears below the folder."""
    deadline = time.monotonic() + _SOON_S
    while not any(folder.glob(pattern)):
        assert runner.is_alive, runner.wait()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("victim", ["getpid", "getppid"])
def test_a_killed_worker_costs_a_retry(victim, scenes, undisturbed, tmp_path):
    scenes.prepare("first", "ingest", undisturbed)
    flag = tmp_path / "flag"
    (tmp_path / "sitecustomize.py").write_text(SABOTAGE.format(flag=str(flag), victim=victim))
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    ended = processes.run(scenes.orders(), *scenes.words(scenes.output), PYTHONPATH=path)
    assert (ended.code, flag.exists()) == (0, True), ended.err
    scenes.check("first", undisturbed)


def test_a_killed_executor_costs_a_retry(scenes, undisturbed):
    scenes.prepare("first", "ingest", undisturbed)
    home = Path(__import__("pyspark").__file__).parent
    master = ("--master", "local-cluster[2,1,1024]", "--conf", "spark.ui.enabled=false")
    variables = {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    program = (home / "bin/spark-submit", *master)
    with processes.running(scenes.orders(), *scenes.words(scenes.output), program=program, **variables) as runner:
        wait_for("_state/waves/*.json", scenes.output, runner)
        executors = processes.members(runner.session, "CoarseGrainedExecutorBackend")
        assert executors
        os.kill(executors[0], signal.SIGKILL)
        ended = runner.wait()
    assert ended.code == 0, ended.err
    scenes.check("first", undisturbed)


@pytest.fixture
def small_disk(scenes):
    """Mounts a file system of so many bytes in the place of the output, or resizes it."""
    shutil.rmtree(scenes.output, ignore_errors=True)
    scenes.output.mkdir()

    def mount(size, *more):
        words = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *more]), "none", str(scenes.output)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")

    yield mount
    subprocess.run(["umount", "--lazy", str(scenes.output)], check=False)
    shutil.rmtree(scenes.output)


# Shares of the finished output for which the disk has space.
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_full_disk_ends_the_job_in_one_line_and_space_lets_it_go_on(share, scenes, undisturbed, small_disk):
    expected = scenes.expected("first", undisturbed)
    scenes.source.before()
    blocks = sum(-(-file.stat().st_size // 4096) for file in expected.rglob("*") if file.is_file())
    small_disk(int(share * blocks) * 4096)
    ended = processes.run(scenes.orders(), *scenes.words(scenes.output))
    assert ended.code == 7, ended.err
    assert "Traceback" not in ended.err
    assert "\tat " not in ended.err
    assert "start the same command again" in ended.message
    small_disk("64m", "remount")
    ended = undisturbed(*scenes.words(scenes.output))
    assert ended.code == 0, ended.err
    scenes.check("first", undisturbed)


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


def test_a_server_that_dies_in_mid_write_costs_a_start(scenes, undisturbed, tmp_path, stack):
    expected = scenes.expected("first", undisturbed)
    scenes.source.before()
    ports, words = seaweed_ports(), scenes.words("s3://fruits/out")
    with tempfile.TemporaryDirectory(prefix="weed") as folder:
        with seaweedfs_in(Path(folder), ports) as server:
            server.fill_s3("fruits", {})
            found = {"FRUITS_S3_ENDPOINT_URL": server.url, "FRUITS_S3_REGION": "us-east-1"}
            variables = server.environment() | found
            runner = stack.enter_context(processes.running(scenes.orders(), *words, **variables))
            client = server.s3_client()
            wait_for_object(client, "out/_state/waves/", runner)
            client.close()
        ended = runner.wait()
        assert ended.code == 7, ended.err
        assert "Traceback" not in ended.err
        with seaweedfs_in(Path(folder), ports) as server:
            ended = processes.run(scenes.orders(), *words, **variables)
            assert ended.code == 0, ended.err
            output = downloaded(server.s3_client(), "out/", tmp_path)
    assert record(output)["change"]["kept"] > 0
    assert_equal_results(expected, output, scenes.source.images)


def wait_for_object(client, prefix, runner):
    deadline = time.monotonic() + _SOON_S
    while not client.list_objects_v2(Bucket="fruits", Prefix=prefix).get("Contents"):
        assert runner.is_alive, runner.wait()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def downloaded(client, prefix, folder):
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="fruits", Prefix=prefix)
    for key in (found["Key"] for page in pages for found in page.get("Contents", [])):
        if not key.endswith("/"):
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            client.download_file("fruits", key, str(folder / key))
    client.close()
    return folder / prefix
