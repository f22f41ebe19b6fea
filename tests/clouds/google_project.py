"""A project of Google Cloud for the preflight: Compute, IAM, Service Usage and Storage over HTTP in this process.

Every request and every answer is held against the API's discovery document.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, unquote, urlsplit

from google.auth.credentials import AnonymousCredentials

from fruits_pipeline.submit.google_rest import ROOTS
from schemas.google_rest import VERSIONS, Called, UnknownError, called, check

PROJECT, REGION = "project", "europe-west1"
# API's name and version in an address -> the API.
_PLACES = {"/compute/v1": "compute", "/storage/v1": "storage", "/iam/v1": "iam", "/serviceusage/v1": "serviceusage"}
_PREFIXES = {"iam": "v1/", "serviceusage": "v1/"}


@dataclass
class GoogleProject:
    """What the project holds; tests change it. ``refused`` are methods by id, with HTTP status and reason."""

    apis: set[str] = field(default_factory=lambda: {"dataproc.googleapis.com", "compute.googleapis.com"})
    buckets: dict[str, dict[str, str]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    may_act_as: bool = True
    limits: dict[str, float] = field(default_factory=dict)
    everywhere: dict[str, float] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)
    machine_types: dict[str, set[str]] = field(default_factory=dict)
    subnetworks: dict[str, bool] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    quota_projects: set[str | None] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def answer(self, call: Called) -> dict[str, Any] | None:
        """The answer to a call; None where the project has not what it names."""
        if call.id.startswith("storage."):
            return self._of_storage(call)
        parts = call.parts
        match call.id:
            case "serviceusage.services.get":
                return {"state": "ENABLED" if parts["servicesId"] in self.apis else "DISABLED"}
            case "iam.projects.serviceAccounts.get":
                return self.accounts.get(parts["serviceAccountsId"])
            case "iam.projects.serviceAccounts.testIamPermissions":
                return {"permissions": ["iam.serviceAccounts.actAs"]} if self.may_act_as else {}
        return self._of_compute(call)

    def _of_storage(self, call: Called) -> dict[str, Any] | None:
        name = call.parts["bucket"]
        match call.id:
            case "storage.buckets.get":
                return self.buckets.get(name)
            case "storage.objects.get":
                return self._object(f"{name}/{call.parts['object']}")
            case "storage.objects.list":
                begins = f"{name}/{call.query.get('prefix', '')}"
                return {"items": [self._object(key) for key in sorted(self.objects) if key.startswith(begins)]}
        raise UnknownError(f"{call.id}: the preflight is not to call it")

    def _object(self, name: str) -> dict[str, Any] | None:
        if name not in self.objects:
            return None
        bucket, _, key = name.partition("/")
        size = str(len(self.objects[name]))
        return {"name": key, "bucket": bucket, "updated": "2026-01-01T00:00:00Z", "size": size, "generation": "1"}

    def _of_compute(self, call: Called) -> dict[str, Any] | None:
        parts = call.parts
        match call.id:
            case "compute.regions.get":
                return {"quotas": self._quotas(self.limits)}
            case "compute.projects.get":
                return {"quotas": self._quotas(self.everywhere)}
            case "compute.machineTypes.aggregatedList":
                name = call.query["filter"].removeprefix("name=")
                zones = {f"zones/{REGION}-{zone}": types for zone, types in self.machine_types.items()}
                found = {zone: {"machineTypes": [{"name": name}]} for zone, types in zones.items() if name in types}
                return {"items": {**{zone: {} for zone in zones}, **found}}
            case "compute.subnetworks.get":
                name = parts["subnetwork"]
                return {"privateIpGoogleAccess": self.subnetworks[name]} if name in self.subnetworks else None
            case "compute.images.list":
                begins = call.query["filter"].removeprefix("name eq '").removesuffix(".*'")
                return {"items": [{"name": name} for name in sorted(self.images) if name.startswith(begins)]}
        raise UnknownError(f"{call.id}: the preflight is not to call it")

    def _quotas(self, limits: dict[str, float]) -> list[dict[str, Any]]:
        return [{"metric": name, "limit": limit, "usage": self.used.get(name, 0.0)} for name, limit in limits.items()]


class _Handler(BaseHTTPRequestHandler):
    project: GoogleProject

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def _answer(self, verb: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.project.quota_projects.add(self.headers.get("x-goog-user-project"))
        address = urlsplit(self.path)
        try:
            status, content = self._looked_up(verb, address.path, dict(parse_qsl(address.query)), body)
        except UnknownError as error:
            self.project.faults.append(str(error))
            status, content = 400, json.dumps({"error": {"code": 400, "message": str(error)}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _looked_up(self, verb: str, path: str, query: dict[str, str], body: Any) -> tuple[int, bytes]:
        project = self.project
        if path.startswith("/download/storage/v1/"):
            return 200, project.objects[unquote(path).partition("/b/")[2].replace("/o/", "/", 1)]
        place = next((place for place in _PLACES if path.startswith(f"{place}/")), "")
        if not place:
            raise UnknownError(f"no API at {path}")
        api = _PLACES[place]
        call = called(api, verb, _PREFIXES.get(api, "") + path.removeprefix(f"{place}/"), query, body)
        project.asked.append(call.id)
        if call.id in project.refused:
            status, reason = project.refused[call.id]
            return status, _error(status, reason)
        found = project.answer(call)
        if found is None:
            return 404, _error(404, "notFound")
        check(api, str(call.answers), found)
        return 200, json.dumps(found).encode()


def _error(status: int, reason: str) -> bytes:
    return json.dumps({"error": {"code": status, "message": reason, "errors": [{"reason": reason}]}}).encode()


@contextmanager
def google_project() -> Iterator[GoogleProject]:
    """An empty project on a free port of this machine, and credentials that need no server."""
    project = GoogleProject()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"project": project}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    roots = {api: f"{url}/{api}/{version}" for api, version in VERSIONS.items()}
    known = mock.patch("google.auth.default", return_value=(AnonymousCredentials(), PROJECT))
    try:
        with mock.patch.dict(ROOTS, roots), mock.patch.dict("os.environ", {"STORAGE_EMULATOR_HOST": url}), known:
            yield project
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
