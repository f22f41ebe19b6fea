"""The marker of a room: what it was made from, with which settings, what it found, and its files."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.fingerprint import Essentials, digest_of
from fruits_pipeline.state.layout import RoomName
from fruits_pipeline.storage import uri

_F = TypeVar("_F", bound=BaseModel)


class RoomMarker(BaseModel, Generic[_F]):
    """One room: what it is made from, with which settings, what it found, and its files.

    Attributes:
        room: Its name.
        made_from: The digest of its input.
        settings: Those that change its result.
        labels: The digest of the user's table of labels, when there is one.
        facts: What it found; None until it is finished.
        files: All its files; none until it is finished.
    """

    model_config = ConfigDict(frozen=True)

    room: RoomName
    made_from: str
    settings: Essentials
    labels: str | None = None
    facts: _F | None = None
    files: tuple[FileMark, ...] = ()

    @property
    def digest(self) -> str:
        """What rooms that are made from this one depend on."""
        return digest_of(self.model_dump(mode="json", include={"room", "made_from", "settings", "labels"}))

    @property
    def facts_or_fail(self) -> _F:
        """What it found.

        Raises:
            DatasetError: When it is not finished.
        """
        if self.facts is None:
            raise DatasetError(
                f"expected finished {layout.RESULTS[self.room]}, found unfinished ones; run "
                f"'{layout.COMMANDS[self.room]}' again"
            )
        return self.facts

    def of(self, root: str, folder: str) -> list[str]:
        """The addresses of the Parquet files of one of its folders."""
        return [uri.join(root, file.key) for file in self.files if file.is_data and file.key.startswith(f"{folder}/")]


def digest_of_sources(room: RoomName, markers: Mapping[RoomName, RoomMarker[Any] | None]) -> str:
    """What ``room`` is made from, by the markers of the rooms that ``layout.MADE_FROM`` names.

    The digest of the only one, or that of all of them; ``none`` stands for a room that there is not.
    """
    found = [markers.get(source) for source in layout.MADE_FROM[room]]
    digests: list[JsonValue] = ["none" if marker is None else marker.digest for marker in found]
    return str(digests[0]) if len(digests) == 1 else digest_of({"made_from": digests})


class AnyFacts(BaseModel):
    """Facts of a room of which only settings and files are of interest."""

    model_config = ConfigDict(frozen=True, extra="allow")
