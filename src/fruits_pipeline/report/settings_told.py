"""Settings of an output, and the line that repeats its last command, without paths that tell of this machine."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from pydantic_core import PydanticUndefined

from fruits_pipeline.report.load import Results
from fruits_pipeline.report.words import MOST_PATH, clean, place
from fruits_pipeline.settings.commands import ALL
from fruits_pipeline.settings.room import Incidental
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.storage import StorageSettings

_STRING: Final = 200
# Settings whose values are addresses, of which only the last folder is told where they are local.
_ADDRESSES: Final = {"data_source", "output_uri", "features_uri", "labels", "model", "compare", "weights", "cache_dir"}

_SURROUNDINGS: Final = StorageSettings.model_fields.keys() | SessionSettings.model_fields.keys()


@dataclass(frozen=True)
class Setting:
    """One setting, its value in words, and whether it is the default."""

    name: str
    value: str
    is_default: bool


def settings_of(results: Results) -> tuple[Setting, ...]:
    """The settings that the results were made with, by name: those of features, reduction and classifiers.

    What the markers say counts before what the last command was given.
    """
    values = made_with(results)
    defaults = _defaults()
    return tuple(
        Setting(name, told(name, value), name in defaults and defaults[name] == value)
        for name, value in sorted(values.items())
    )


def made_with(results: Results) -> dict[str, JsonValue]:
    """Settings that change a result, by name, as JSON values."""
    given = results.record.get("settings")
    values = dict(given) if isinstance(given, dict) else {}
    if results.snapshot is not None:
        values |= results.snapshot.waves[0].recipe.settings
    for marker in (results.reduced, results.examined, results.classified):
        values |= {} if marker is None else dict(marker.settings)
    incidental = _incidental()
    return {name: value for name, value in values.items() if name not in incidental}


def told(name: str, value: JsonValue) -> str:
    """A setting's value in words.

    >>> told("data_source", "/home/me/fruits"), told("export", ["json", "csv"]), told("sample", None)
    ('fruits', 'json csv', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, list):
        return " ".join(told(name, one) for one in value) or "none"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return place(text) if _is_place(name, text) else clean(text, _STRING)


def command_line(results: Results) -> str | None:
    """The line that repeats the last command, quoted for a shell; None where ``run.json`` has no command of ours.

    Without settings of buckets and of the session, which tell of who ran it and change no result.
    """
    command, given = results.record.get("command"), results.record.get("settings")
    if not isinstance(command, str) or command not in ALL or not isinstance(given, dict):
        return None
    defaults = _defaults(command)
    words = ["fruits-pipeline", *command.split()]
    for name, value in given.items():
        is_told = name in defaults and name not in _SURROUNDINGS
        if is_told and value is not None and value != defaults[name]:
            words += _flags(name, value)
    return clean(shlex.join(words), 20 * MOST_PATH)


def _flags(name: str, value: JsonValue) -> Iterator[str]:
    flag = "--" + name.replace("_", "-")
    for one in value if isinstance(value, list) else [value]:
        if one is True:
            yield flag
        elif one is not False:
            yield from (flag, told(name, one))


def _is_place(name: str, text: str) -> bool:
    return name in _ADDRESSES or text.startswith(("/", "~", "file:"))


def _defaults(command: str | None = None) -> dict[str, JsonValue]:
    """The default of each setting of a command, or of all; one without a default has None."""
    found: dict[str, JsonValue] = {}
    for kind in [ALL[command]] if command else ALL.values():
        for field in kind.model_fields.values():
            room = field.annotation
            for name, setting in (room.model_fields if room is not None else {}).items():
                default = setting.get_default(call_default_factory=True)
                value = list(default) if isinstance(default, tuple) else default
                found.setdefault(name, None if default is PydanticUndefined else value)
    return found


def _incidental() -> set[str]:
    rooms = [field.annotation for kind in ALL.values() for field in kind.model_fields.values()]
    fields = {name: one for room in rooms if room is not None for name, one in room.model_fields.items()}
    return {name for name, field in fields.items() if Incidental in field.metadata}
