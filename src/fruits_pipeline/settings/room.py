"""What all settings models share: frozen, closed to unknown keys, flat names, one help group for each room."""

import re

from cyclopts import Group, Parameter
from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue

GROUPS = (
    *("Bundle", "Submit", "EMR", "EMR Serverless", "Dataproc", "Dataproc Serverless"),
    *("Input", "Output", "Pack", "Features", "Reduce", "Examine", "Classify", "Report"),
    *("Predict", "Export", "Verify", "Storage", "Session"),
)


class Incidental:
    """Marks a setting that changes how a result is made, not what it is: no part of a fingerprint."""


class Room(BaseModel):
    """The settings of one room; a subclass holds the only copy of each default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def essentials(self) -> dict[str, JsonValue]:
        """Name and JSON value of each setting that changes the room's result."""
        values: dict[str, JsonValue] = self.model_dump(mode="json")
        fields = type(self).model_fields
        return {name: value for name, value in values.items() if Incidental not in fields[name].metadata}


def matching(pattern: str, expected: str) -> AfterValidator:
    """Refuses text that is not ``pattern`` as a whole, by saying what is ``expected``."""

    def checked(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(checked)


def flat(group: str) -> Parameter:
    """Makes a room's fields flags of their own, under ``group`` in the help."""
    return Parameter(name="*", group=Group(group, sort_key=GROUPS.index(group)))
