"""A room's fingerprint: the settings that change its result, and its input's fingerprint."""

import hashlib
import json

from pydantic import BaseModel, ConfigDict, JsonValue


class Fingerprint(BaseModel):
    """What a result depends on; equal fingerprints mean equal results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, JsonValue]
    input: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON, as hex."""
        return digest_of(self.model_dump(mode="json"))

    def differing(self, other: "Fingerprint") -> list[str]:
        """``key: other's value -> own value`` for every setting in which the two differ, and a word on the input."""
        keys = sorted(self.settings.keys() | other.settings.keys())
        changed = [
            f"{key}: {other.settings.get(key)!r} -> {self.settings.get(key)!r}"
            for key in keys
            if self.settings.get(key) != other.settings.get(key)
        ]
        return changed + (["its input, which has changed since"] if self.input != other.input else [])


def digest_of(value: dict[str, JsonValue]) -> str:
    """SHA-256 of a JSON object, keys sorted, as hex."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
