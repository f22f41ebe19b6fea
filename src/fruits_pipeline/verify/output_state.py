"""What the state of an output says of it: plan, markers of waves, packs and rooms."""

from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.layout import RoomName
from fruits_pipeline.state.packs import PackedWave, load_pack
from fruits_pipeline.state.plan import Plan, PlannedWave, load_plan
from fruits_pipeline.state.room_marker import RoomMarker
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.snapshot import Snapshot, WaveMarker, is_finished, load_waves, snapshot_of
from fruits_pipeline.storage.store import Store


class Facts(BaseModel):
    """Of the facts of a room, those that can be checked.

    Attributes:
        features: The address of the output whose features were reduced.
        rows: Rows of ``reduced``, or of an export.
        predictions: Rows of ``predictions``.
    """

    model_config = ConfigDict(frozen=True)

    features: str | None = None
    rows: int | None = None
    predictions: int | None = None


@dataclass(frozen=True)
class OutputState:
    """The plan and the markers of one output.

    Attributes:
        store: The output.
        plan: Its plan; None where it holds nothing but results from the features of another output.
        waves: The markers of all finished waves by name, wanted or not.
        packed: The markers of all packed waves by name, wanted or not.
        rooms: The markers of all rooms that have begun.
    """

    store: Store
    plan: Plan | None
    waves: dict[str, WaveMarker]
    packed: dict[str, PackedWave]
    rooms: dict[RoomName, RoomMarker[Facts]]

    @property
    def planned(self) -> tuple[PlannedWave, ...]:
        """The waves of the plan."""
        return self.plan.waves if self.plan else ()

    @property
    def is_only_a_pack(self) -> bool:
        """Whether images were packed here, and no features computed."""
        return bool(self.packed) and not self.waves

    @cached_property
    def finished(self) -> dict[str, WaveMarker]:
        """The markers of the finished waves of the plan by name, in its order."""
        return {wave.wave: self.waves[wave.wave] for wave in self.planned if is_finished(wave, self.waves)}

    @property
    def finished_packs(self) -> dict[str, PackedWave]:
        """The markers of the packed waves of the plan by name, in its order."""
        return {wave.wave: self.packed[wave.wave] for wave in self.planned if wave.wave in self.packed}

    @property
    def finished_rooms(self) -> dict[RoomName, RoomMarker[Facts]]:
        """The markers of the finished rooms."""
        return {name: room for name, room in self.rooms.items() if room.facts is not None}

    @cached_property
    def snapshot(self) -> Snapshot | None:
        """The snapshot; None where some wave of the plan is not finished."""
        if self.plan is None or not self.planned or len(self.finished) < len(self.planned):
            return None
        return snapshot_of(self.store, self.plan, self.waves)

    @cached_property
    def files(self) -> dict[FileMark, str]:
        """The files that must be there, each with what names it."""
        named = dict.fromkeys((wave.manifest for wave in self.planned), "_state/snapshot.json")
        for name, wave in self.finished.items():
            for file in (wave.manifest, *wave.files):
                named.setdefault(file, f"the record of batch {name}")
        for name, packed in self.finished_packs.items():
            named |= dict.fromkeys(packed.files, f"the record of packed batch {name}")
        for room, marker in self.finished_rooms.items():
            named |= dict.fromkeys(marker.files, f"the record of {room}")
        return named

    @property
    def leftovers(self) -> dict[str, int]:
        """The keys of the markers of waves that the plan does not want, each with the number of files it names."""
        planned = {wave.wave for wave in self.planned}
        waves = {layout.wave_marker(name): 1 + len(wave.files) for name, wave in self.waves.items()}
        packed = {layout.packed_marker(name): len(wave.files) for name, wave in self.packed.items()}
        kept = {marker(name) for name in planned for marker in (layout.wave_marker, layout.packed_marker)}
        return {key: files for key, files in (waves | packed).items() if key not in kept}


def load_state(store: Store) -> OutputState:
    """What the state of the output says.

    Raises:
        DatasetError: When there is no output, another version made it, or a marker is damaged.
    """
    plan = load_plan(store)  # so that an output of another version is told as such before all else
    rooms = Rooms(store, overwrite=False)
    found = {name: rooms.marker(name, Facts) for name in get_args(RoomName)}
    begun = {name: marker for name, marker in found.items() if marker is not None}
    if plan is None and not begun:
        raise DatasetError(
            f"expected an output under {store.root}, found none; check --output-uri, or make it by 'run'"
        )
    return OutputState(store, plan, load_waves(store), load_pack(store), begun)
