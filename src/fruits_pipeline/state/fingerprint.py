"""What a result depends on, as canonical JSON and its digest."""

import hashlib
import json
from collections.abc import Mapping

from pydantic import JsonValue

# Names and JSON values of the settings that change a room's result.
Essentials = dict[str, JsonValue]


def digest_of(value: Mapping[str, JsonValue]) -> str:
    """SHA-256 of a JSON object, keys sorted, as hex."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def differences(old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> list[str]:
    """``key: old value -> new value`` for every key in which the two differ, by alphabet.

    >>> differences({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": None})
    ['b: 2 -> 3']
    """
    keys = sorted(old.keys() | new.keys())
    return [f"{key}: {old.get(key)!r} -> {new.get(key)!r}" for key in keys if old.get(key) != new.get(key)]
