"""Fixtures: each server once for all tests, started when a test first asks, and proxies before them."""

from collections.abc import Iterator

import pytest

from servers.fake_gcs import fake_gcs
from servers.moto_s3 import moto_s3
from servers.proxy import Proxy
from servers.seaweed import seaweedfs
from servers.server import Server


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Server]:
    """SeaweedFS: S3 in which credentials matter."""
    with seaweedfs() as server:
        yield server


@pytest.fixture(scope="session")
def moto_server() -> Iterator[Server]:
    """moto: S3 that takes any credentials."""
    with moto_s3() as server:
        yield server


@pytest.fixture(scope="session")
def gcs() -> Iterator[Server]:
    """fake-gcs-server."""
    with fake_gcs() as server:
        yield server


@pytest.fixture
def seaweed_proxy(seaweed: Server) -> Iterator[Proxy]:
    """A proxy before SeaweedFS, without faults or delay."""
    with Proxy(seaweed.port) as proxy:
        yield proxy


@pytest.fixture
def gcs_proxy(gcs: Server) -> Iterator[Proxy]:
    """A proxy before fake-gcs-server, without faults or delay."""
    with Proxy(gcs.port) as proxy:
        yield proxy


@pytest.fixture
def aws_environment(seaweed: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials for SeaweedFS where boto3 looks for them, and no others."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in seaweed.environment().items():
        monkeypatch.setenv(name, value)
