"""Google's REST APIs as their discovery documents describe them: of google-api-python-client, which ships them all."""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

VERSIONS = {"compute": "v1", "iam": "v1", "logging": "v2", "serviceusage": "v1", "storage": "v1"}
_KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


class UnknownError(ValueError):
    """When Google would not know a call, a parameter or a member."""


@dataclass(frozen=True)
class Called:
    """One method of an API: its id, the parts of its path by name, its query, and the schema of its answer."""

    id: str
    parts: dict[str, str]
    query: dict[str, str]
    answers: str | None


@cache
def document(api: str) -> dict[str, Any]:
    """The discovery document of an API, such as ``compute``."""
    spec = find_spec("googleapiclient")
    (folder, *_) = spec.submodule_search_locations
    file = Path(folder) / "discovery_cache" / "documents" / f"{api}.{VERSIONS[api]}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def called(api: str, verb: str, path: str, query: dict[str, str], body: Any) -> Called:
    """The method that ``verb`` at ``path``, below the API's root, calls.

    Raises:
        UnknownError: When there is none, or it has no such parameter or member.
    """
    about = document(api)
    for method in _methods(about):
        parts = re.fullmatch(_pattern(method.get("flatPath") or method["path"]), path.removeprefix("/"))
        if parts is None or method["httpMethod"] != verb:
            continue
        if unknown := query.keys() - method["parameters"].keys() - about["parameters"].keys():
            raise UnknownError(f"{method['id']}: no parameter {', '.join(sorted(unknown))}")
        if "request" in method:
            check(api, method["request"]["$ref"], body)
        answers = method.get("response", {}).get("$ref")
        return Called(method["id"], {name: unquote(part) for name, part in parts.groupdict().items()}, query, answers)
    raise UnknownError(f"{api}: no method {verb} {path}")


def check(api: str, schema: str, content: Any) -> None:
    """Takes ``content`` where it is what the schema describes.

    Raises:
        UnknownError: When a member is unknown, or of another type.
    """
    _check(document(api)["schemas"], {"$ref": schema}, content, schema)


def _check(schemas: dict[str, Any], schema: dict[str, Any], content: Any, where: str) -> None:
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    if not isinstance(content, _KINDS.get(schema.get("type", ""), object)):
        raise UnknownError(f"{where}: expected {schema['type']}, found {content!r}")
    if isinstance(content, list):
        for part in content:
            _check(schemas, schema["items"], part, where)
    if isinstance(content, dict):
        more = schema.get("additionalProperties")
        for name, part in content.items():
            member = schema.get("properties", {}).get(name, more)
            if member is None:
                raise UnknownError(f"{where}: no member {name}")
            _check(schemas, member, part, f"{where}.{name}")


def _methods(about: dict[str, Any]) -> Any:
    yield from about.get("methods", {}).values()
    for resource in about.get("resources", {}).values():
        yield from _methods(resource)


def _pattern(path: str) -> str:
    """A path's template as a pattern; ``{+name}`` may have slashes in it.

    >>> _pattern("projects/{project}/regions/{region}")
    'projects/(?P<project>[^/]+)/regions/(?P<region>[^/]+)'
    """
    parts = re.split(r"(\{\+?\w+\})", path)
    return "".join(
        f"(?P<{part.strip('{+}')}>{'.+' if '+' in part else '[^/]+'})" if part.startswith("{") else re.escape(part)
        for part in parts
    ).replace(r"\-", "-")
