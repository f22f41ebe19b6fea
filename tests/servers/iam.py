"""An IAM policy before an S3 server that knows none: requests that it does not grant are answered with 403.

Which action each request takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from servers.faults import Fault
from servers.request import Request

_OBJECT = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "POST": "PutObject", "DELETE": "DeleteObject"}
_UPLOAD = {"GET": "ListMultipartUploadParts", "DELETE": "AbortMultipartUpload"}


@dataclass(frozen=True)
class IamFront(Fault):
    """Refuses what ``policy`` does not allow; for ``servers.proxy.Proxy.add``."""

    policy: dict[str, Any] = field(default_factory=dict)

    def hits(self, request: Request) -> bool:
        """Whether the request asks for more than was granted."""
        return bool(self.missing(request))

    def missing(self, request: Request) -> str:
        """The action that the request lacks; none where it has all."""
        return next((action for action, arn in _asked(request) if not self._allows(action, arn)), "")

    def answer(self, request: Request) -> bytes:
        """The response, as S3 words it."""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>User: '
            f"arn:aws:sts::123456789012:assumed-role/fruits-pipeline-nodes/i-0 is not authorized to perform: "
            f"{self.missing(request)}</Message><RequestId>0</RequestId></Error>"
        ).encode()
        head = (
            "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(body)}\r\nx-amz-request-id: 0\r\n\r\n"
        )
        return head.encode() + (b"" if request.method == "HEAD" else body)

    def _allows(self, action: str, arn: str) -> bool:
        return any(
            any(fnmatchcase(action, one) for one in _several(part["Action"]))
            and any(fnmatchcase(arn, one) for one in _several(part["Resource"]))
            for part in self.policy["Statement"]
        )


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _asked(request: Request) -> list[tuple[str, str]]:
    """The actions that a request needs, each with its resource."""
    parts = urlsplit(request.target)
    bucket, _, key = unquote(parts.path.lstrip("/")).partition("/")
    asked = parse_qs(parts.query, keep_blank_values=True)
    if not key:
        if "delete" in asked:
            return []  # because its keys are in a body that is not looked at
        if "uploads" in asked:
            return [("s3:ListBucketMultipartUploads", f"arn:aws:s3:::{bucket}")]
        return [("s3:GetBucketLocation" if "location" in asked else "s3:ListBucket", f"arn:aws:s3:::{bucket}")]
    action = _UPLOAD.get(request.method) if "uploadId" in asked else None
    needed = [(f"s3:{action or _OBJECT[request.method]}", f"arn:aws:s3:::{bucket}/{key}")]
    if source := request.headers.get("x-amz-copy-source"):
        needed.append(("s3:GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/')}"))
    return needed
