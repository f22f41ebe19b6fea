"""A job that is killed between any two writes leaves an output that the next start takes up."""

import zlib
from contextlib import suppress

import pytest
from test_rooms import Facts, keys, make, make_all, make_others
from waves_of import THEN

from fruits_pipeline.state import layout
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.storage.store import Found

SETTINGS = {"components": 0.9, "seed": 1}
GROWN = "grown features"
RACES = {
    "a grown source": (SETTINGS, GROWN, False),
    "other settings": (SETTINGS | {"components": 3}, "features", True),
    "a damaged file": (SETTINGS, "features", False),
}


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """A store in memory that dies before its write or delete of the given number."""

    root = "s3://bucket/out"

    def __init__(self, content=None, operations=-1):
        self.content, self._left = dict(content or {}), operations

    def objects(self, prefix=""):
        keys = sorted(key for key in self.content if f"{key}/".startswith(f"{prefix}/" if prefix else ""))
        return (Found(key, len(self.content[key]), THEN) for key in keys)

    def stat(self, key):
        return Found(key, len(self.content[key]), THEN) if key in self.content else None

    def read(self, key):
        return self.content[key]

    def checksum(self, key):
        return f"crc:{zlib.crc32(self.content[key])}"

    def write(self, key, content):
        self._spend()
        self.content[key] = content

    def delete(self, keys):
        for key in keys:
            self._spend()
            self.content.pop(key, None)

    def _spend(self):
        if self._left == 0:
            raise Killed
        self._left -= 1


def named(rooms):
    """Every file that a marker names, and the markers."""
    markers = {room: rooms.marker(room, Facts) for room in layout.OWNED}
    return {file.key for marker in markers.values() if marker for file in marker.files} | {
        layout.room_marker(room) for room, marker in markers.items() if marker
    }


def check_whole(store, settings, made_from):
    """What a marker says is finished is whole: each file there, with the length that the marker says."""
    rooms = Rooms(store, overwrite=False)
    lengths = {found.key: found.length for found in store.objects()}
    for room in layout.MADE_FROM:
        marker = rooms.marker(room, Facts)
        if marker and marker.facts:
            assert all(lengths.get(file.key) == file.length for file in marker.files)
    reduced = rooms.marker("reduce", Facts)
    if reduced.facts and (reduced.settings, reduced.made_from) == (settings, made_from):
        assert {file.key for file in reduced.files} <= lengths.keys()


@pytest.mark.parametrize("race", RACES)
def test_a_kill_between_any_two_writes_leaves_what_the_next_start_takes_up(race):
    settings, made_from, overwrite = RACES[race]
    made = Mortal()
    make_all(made, Rooms(made, overwrite=False))
    made.write("reduced/notes.txt", b"mine")
    if race == "a damaged file":
        made.write("reduced/part-00000.parquet", b"1234")
    operations, ended = 0, False
    while not ended:
        store = Mortal(made.content, operations)
        try:
            make(store, Rooms(store, overwrite=overwrite), "reduce", settings, made_from)
            ended = True
        except Killed:
            check_whole(store, settings, made_from)
        store = Mortal(store.content)
        rooms = Rooms(store, overwrite=overwrite)
        rooms.check("reduce", settings)
        make(store, rooms, "reduce", settings, made_from)
        reduced = rooms.finished("reduce", Facts, made_from)
        assert not [room for room in layout.MADE_FROM if rooms.marker(room, Facts)]
        assert keys(store) - named(rooms) == {"reduced/notes.txt"}
        assert all(make_others(store, rooms, reduced).values())
        assert keys(store) - named(rooms) == {"reduced/notes.txt"}
        operations += 1
    assert operations > 20


def test_a_kill_while_a_room_is_made_for_the_first_time_is_made_up_for():
    for operations in range(12):
        store = Mortal(operations=operations)
        with suppress(Killed):
            make(store, Rooms(store, overwrite=False), "classify")
        store = Mortal(store.content)
        rooms = Rooms(store, overwrite=False)
        make(store, rooms, "classify")
        assert keys(store) == named(rooms)
        assert rooms.finished("classify", Facts).facts == Facts()
