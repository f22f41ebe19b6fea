"""An IAM policy before an S3 server that knows none: requests that it does not grant are answered with 403.

Which action each request takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html.
How a refusal is worded: https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from servers.faults import Fault
from servers.request import Request

_OBJECT = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "POST": "PutObject", "DELETE": "DeleteObject"}
_UPLOAD = {"GET": "ListMultipartUploadParts", "DELETE": "AbortMultipartUpload"}
_WHO = "arn:aws:sts::123456789012:assumed-role/fruits-pipeline-nodes/i-0"
_KEY = re.compile(r"<Key>([^<]+)</Key>")


@dataclass(frozen=True)
class IamFront(Fault):
    """Refuses what ``policy`` does not allow; for ``servers.proxy.Proxy.add``.

    Attributes:
        policy: The document; of its statements action, resource and effect count.
        names_right: Whether the refusal names the right: to callers of the bucket's own account S3 does.
        is_there: Whether there is such a key: S3 answers 403 of one that is not to whoever may not list.
    """

    policy: dict[str, Any] = field(default_factory=dict)
    names_right: bool = True
    is_there: Callable[[str], bool] = lambda _key: True

    def hits(self, request: Request) -> bool:
        """Whether the request asks for more than was granted."""
        return self._missing(request) is not None

    def answer(self, request: Request, body: bytes = b"") -> bytes:
        """The response, as S3 words it."""
        action, arn = self._missing(request) or ("", "")
        said = "Access Denied"
        if self.names_right:
            said = (
                f'User: {_WHO} is not authorized to perform: {action} on resource: "{arn}" because no identity-based '
                f"policy allows the {action} action"
            )
        if _is_delete_of_many(request):
            denied = f"<Code>AccessDenied</Code><Message>{said}</Message>"
            keys = _KEY.findall(body.decode())
            told = "".join(f"<Error><Key>{key}</Key>{denied}</Error>" for key in keys)
            return _response("200 OK", f"<DeleteResult>{told}</DeleteResult>")
        told = f"<Error><Code>AccessDenied</Code><Message>{said}</Message><RequestId>0</RequestId></Error>"
        return _response("403 Forbidden", "" if request.method == "HEAD" else told)

    def _missing(self, request: Request) -> tuple[str, str] | None:
        """The action that the request lacks, with its resource; None where it has all."""
        asked = _asked(request)
        if request.kind in {"GET", "HEAD"} and request.key and not self.is_there(request.key):
            asked.append(("s3:ListBucket", asked[0][1].partition("/")[0]))
        return next((one for one in asked if not self._allows(*one)), None)

    def _allows(self, action: str, arn: str) -> bool:
        effects = {
            part["Effect"]
            for part in self.policy["Statement"]
            if any(fnmatchcase(action, one) for one in _several(part["Action"]))
            and any(fnmatchcase(arn, one) for one in _several(part["Resource"]))
        }
        return effects == {"Allow"}


def _response(status: str, told: str) -> bytes:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{told}'.encode() if told else b""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
    return f"{head}x-amz-request-id: 0\r\n\r\n".encode() + body


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _is_delete_of_many(request: Request) -> bool:
    return not request.key and "delete" in parse_qs(urlsplit(request.target).query, keep_blank_values=True)


def _asked(request: Request) -> list[tuple[str, str]]:
    """The actions that a request needs, each with its resource."""
    parts = urlsplit(request.target)
    bucket, _, key = unquote(parts.path.lstrip("/")).partition("/")
    asked = parse_qs(parts.query, keep_blank_values=True)
    if not key:
        if _is_delete_of_many(request):
            # Its keys are in a body that comes after the decision, so that they stand for any key of the output.
            return [("s3:DeleteObject", f"arn:aws:s3:::{bucket}/results/any")]
        if "uploads" in asked:
            return [("s3:ListBucketMultipartUploads", f"arn:aws:s3:::{bucket}")]
        return [("s3:GetBucketLocation" if "location" in asked else "s3:ListBucket", f"arn:aws:s3:::{bucket}")]
    action = _UPLOAD.get(request.method) if "uploadId" in asked else None
    needed = [(f"s3:{action or _OBJECT[request.method]}", f"arn:aws:s3:::{bucket}/{key}")]
    if source := request.headers.get("x-amz-copy-source"):
        needed.append(("s3:GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/')}"))
    return needed
