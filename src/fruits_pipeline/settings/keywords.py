"""Settings as keyword arguments of Python, by the names of their flags; every fault is told at once."""

from collections.abc import Container, Iterable, Mapping
from typing import TypeVar

from pydantic import ValidationError

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.faults import expectation, meant, shown
from fruits_pipeline.settings.room import Room

_Kind = TypeVar("_Kind", bound=Room)


def from_keywords(kind: type[_Kind], keywords: Mapping[str, object], without: Container[str] = ()) -> _Kind:
    """The settings of ``kind``, whose fields are rooms, from the flat names of their fields but those of ``without``.

    Raises:
        SettingsError: With every name that is no setting, every value that its setting does not take, and every setting
            that is missing.

    >>> from fruits_pipeline.settings.commands import ReduceCommand
    >>> from_keywords(ReduceCommand, {"output_uri": "results", "components": 100}).reduce.components
    100
    """
    rooms = {name: fields_of(field.annotation) for name, field in kind.model_fields.items()}
    known = [setting for fields in rooms.values() for setting in fields if setting not in without]
    faults = [f"{name}: no such setting{meant(name, known)}" for name in keywords if name not in known]
    nested = {room: {name: keywords[name] for name in fields if name in keywords} for room, fields in rooms.items()}
    try:
        found = kind.model_validate(nested)
    except ValidationError as error:
        faults += [_fault(str(one["loc"][1]), one["type"], one["msg"], one["input"]) for one in error.errors()]
    if faults:
        raise SettingsError("\n  ".join(["wrong settings", *faults]))
    return found


def fields_of(room: object) -> Iterable[str]:
    """The names of a room's settings."""
    return tuple(room.model_fields) if isinstance(room, type) and issubclass(room, Room) else ()


def _fault(name: str, kind: str, message: str, found: object) -> str:
    return (
        f"{name} is required" if kind == "missing" else f"{name}: expected {expectation(message)}, found {shown(found)}"
    )
