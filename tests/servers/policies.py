"""A bucket's policy before a GCS server that knows none: requests that it does not grant are answered with 403.

What each role may: https://cloud.google.com/storage/docs/access-control/iam-roles. Of conditions two forms are known,
``resource.name.startsWith("...")`` and ``resource.name == "..."``, joined by ``||``.
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from servers.faults import Fault
from servers.request import Request

_LEGACY = {"storage.buckets.get", "storage.objects.list"}
_VIEWER = {"storage.objects.get", "storage.objects.list"}
_USER = _VIEWER | {"storage.objects.create", "storage.objects.delete", "storage.objects.update"}
_ROLES = {
    "roles/storage.legacyBucketReader": _LEGACY,
    "roles/storage.objectViewer": _VIEWER,
    "roles/storage.objectUser": _USER,
}
_TERM = re.compile(r'resource\.name(?:\.startsWith\("([^"]+)"\)| == "([^"]+)")')
_ASKED = {"GET": "get", "HEAD": "get", "PUT": "create", "POST": "create", "PATCH": "update", "DELETE": "delete"}
_COPY = re.compile(r"^(.+)/(?:rewriteTo|copyTo)/b/[^/]+/o/(.+)$")


@dataclass(frozen=True)
class Grants:
    """What a policy grants to one member on a bucket."""

    policy: dict[str, Any]
    member: str
    bucket: str
    # Permissions taken from all of its roles, each below a beginning of keys.
    denied: tuple[tuple[str, str], ...] = ()

    def allows(self, permission: str, key: str = "") -> bool:
        """Whether the member may ``permission`` on the object ``key``, or on the bucket."""
        name = f"projects/_/buckets/{self.bucket}" + (f"/objects/{key}" if key else "")
        if any(permission == one and key.startswith(below) for one, below in self.denied):
            return False
        return any(
            permission in _ROLES.get(binding["role"], ()) and _holds(binding.get("condition"), name)
            for binding in self.policy["bindings"]
            if self.member in binding["members"]
        )


def _holds(condition: dict[str, str] | None, name: str) -> bool:
    if condition is None:
        return True
    terms = [_TERM.fullmatch(term) for term in condition["expression"].split(" || ")]
    assert all(terms), condition
    return any(name.startswith(term[1]) if term[1] else name == term[2] for term in terms if term)


@dataclass(frozen=True)
class PolicyFront(Fault):
    """Refuses what ``grants`` does not allow; for ``servers.proxy.Proxy.add``."""

    grants: Grants | None = None

    def hits(self, request: Request) -> bool:
        """Whether the request asks for more than was granted."""
        return bool(self.missing(request))

    def missing(self, request: Request) -> str:
        """The right that the request lacks, with its object; none where it has all."""
        assert self.grants is not None
        found = (f"{right} on {key}" for right, key in _asked(request) if not self.grants.allows(right, key))
        return next(found, "")

    def answer(self, request: Request, _body: bytes = b"") -> bytes:
        """The response, as Cloud Storage words it."""
        right, _, key = self.missing(request).partition(" on ")
        said = (
            f"fruits-job@project.iam.gserviceaccount.com does not have {right} access to the Google Cloud Storage "
            f"{'object' if key else 'bucket'}. Permission '{right}' denied on resource (or it may not exist)."
        )
        fault = {"code": 403, "message": said, "errors": [{"message": said, "domain": "global", "reason": "forbidden"}]}
        body = json.dumps({"error": fault}).encode()
        head = f"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + (b"" if request.method == "HEAD" else body)


def _asked(request: Request) -> list[tuple[str, str]]:
    """The rights that a request needs, each with its object."""
    if request.kind == "LIST":
        return [("storage.objects.list", "")]
    if request.kind == "BUCKET":
        return [("storage.buckets.get", "")]
    parts = urlsplit(request.target)
    assert not parts.path.startswith("/batch"), "set fs.gs.max.requests.per.batch to 1: bodies are not looked at"
    if parts.path.startswith(("/upload/", "/resumable/")):
        # Google's client for Python has the name of a small object in the body, which comes after the decision: it
        # stands for any of the output.
        named = [] if "upload_id=" in parts.query else parse_qs(parts.query).get("name", ["results/any"])
        return [("storage.objects.create", key) for key in named]
    if copy := _COPY.match(request.key):
        return [("storage.objects.get", unquote(copy[1])), ("storage.objects.create", unquote(copy[2]))]
    return [(f"storage.objects.{_ASKED[request.method]}", request.key)]
