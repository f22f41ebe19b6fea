"""Faults that a proxy puts into the path of chosen requests."""

from dataclasses import dataclass
from typing import Literal

from servers.request import Request

Form = Literal["answer", "reset", "stall"]
_CODES = {403: "AccessDenied", 404: "NoSuchKey", 503: "SlowDown"}


@dataclass(frozen=True)
class Fault:
    """What happens to requests of one ``kind``, for one ``key`` (None: any), ``times`` times (None: always).

    ``answer``: the proxy answers with ``status`` itself, and the server is not asked. ``reset``: half of the body,
    then the connection is torn down. ``stall``: half of the body, ``seconds`` of silence, then the rest.
    """

    form: Form
    key: str | None = None
    times: int | None = None
    status: int = 503
    code: str = ""
    seconds: float = 0.0
    kind: str = "GET"

    def hits(self, request: Request) -> bool:
        """Whether the request is of the kind and for the key."""
        return request.kind == self.kind and self.key in (None, request.key)

    def answer(self, request: Request, _body: bytes = b"") -> bytes:
        """The whole response to the request and its body, with a body as S3 words it."""
        code = self.code or _CODES.get(self.status, "InternalError")
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
            f"<Message>put there by the proxy</Message><RequestId>0</RequestId></Error>"
        ).encode()
        head = (
            f"HTTP/1.1 {self.status} {code}\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(body)}\r\nx-amz-request-id: 0\r\n\r\n"
        )
        return head.encode() + (b"" if request.method == "HEAD" else body)


def answer(
    status: int, key: str | None = None, *, times: int | None = None, code: str = "", kind: str = "GET"
) -> Fault:
    """The proxy answers with ``status``: 503 is SlowDown, 403 AccessDenied, 404 NoSuchKey, unless ``code`` says."""
    return Fault("answer", key, times, status, code, kind=kind)


def reset(key: str | None = None, *, times: int | None = None) -> Fault:
    """The connection is reset in mid-body."""
    return Fault("reset", key, times)


def stall(seconds: float, key: str | None = None, *, times: int | None = None) -> Fault:
    """The body stops half-way for so long."""
    return Fault("stall", key, times, seconds=seconds)
