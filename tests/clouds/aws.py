"""Moto in this process behind the client of a platform, with faults in between."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSResponse
from moto import mock_aws
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

from clouds.adapter import Fault
from fruits_pipeline.settings.commands import RunCommand
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.submit.job import SubmittedJob, submitted_job
from fruits_pipeline.submit.platform import Request

REGION = "eu-west-1"
ACCOUNT = "123456789012"
# HTTP status, code and message.
Answer = tuple[int, str, str]
_BOTH: dict[Fault, Answer] = {
    Fault.THROTTLED: (400, "ThrottlingException", "Rate exceeded"),
    Fault.EXPIRED_CREDENTIALS: (403, "ExpiredTokenException", "The security token included in the request is expired"),
}


def job(machine_type: str = "m6i.xlarge") -> SubmittedJob:
    """The one job of the adapters; its bundle stands as if it were uploaded."""
    run = RunCommand.model_validate(
        {
            "output": {"output_uri": "s3://bucket/results"},
            "ingest": {"data_source": "s3://bucket/fruits"},
        }
    )
    asked = submitted_job(
        "emr", run, SubmitSettings(dry_run=True, bundle="nowhere", region=REGION, machine_type=machine_type)
    )
    return _replaced(asked)


def _replaced(asked: SubmittedJob) -> SubmittedJob:
    """The job with addresses in place of the dry run's placeholders."""
    facts = {name: getattr(asked, name) for name in asked.__dataclass_fields__ if name != "job_id"}
    facts["script"] = "s3://bucket/packages/0123/run.py"
    facts["archives"] = ("s3://bucket/packages/4567/environment.tar.gz#environment", "s3://bucket/p/89/m.tar.gz#models")
    return SubmittedJob(**facts)


class Wire:
    """What lies between the clients of one service and moto: it records, and answers in moto's place."""

    def __init__(self, service: str, starting: set[str], faults: Mapping[Fault, Answer]) -> None:
        """``starting`` are the operations that start or create something."""
        self.service = service
        self.sent: list[Request] = []
        self._starting = starting
        self._faults = {**_BOTH, **faults}
        self._failing: tuple[Fault, int] | None = None

    def attach(self, client: Any) -> None:
        """Puts itself before moto: botocore asks all handlers, also where the first one has the answer."""
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register("before-parameter-build", self._record)
        client.meta.events.register("before-send", self._answer)

    def fail(self, fault: Fault, times: int) -> None:
        """As ``adapter.Cloud.fail``."""
        self._failing = (fault, times)

    def instead(self, operation: str, request: Any) -> dict[str, Any] | None:
        """The body of an answer in moto's place, for a subclass to give."""

    def _record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in self._starting:
            self.sent.append(Request(f"{self.service}.{model.name}", deepcopy(params)))

    def _answer(self, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        if self._failing and self._failing[1] and (self._failing[0] in _BOTH or operation in self._starting):
            fault, times = self._failing
            self._failing = (fault, times - 1)
            status, code, message = self._faults[fault]
            return _response(request.url, status, {"__type": code, "message": message}, code)
        body = self.instead(operation, request)
        return botocore_stubber(event_name, request) if body is None else _response(request.url, 200, body)


def _response(url: str, status: int, body: dict[str, Any], code: str = "") -> AWSResponse:
    headers = {"x-amzn-errortype": code} if code else {}
    return AWSResponse(url, status, headers, MockRawResponse(json.dumps(body).encode()))


@contextmanager
def control_plane() -> Iterator[None]:
    """Moto, empty; pauses between retries take no time."""
    with mock_aws(), mock.patch("botocore.endpoint.time.sleep"):
        yield
