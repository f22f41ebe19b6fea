"""``run.json``: all that is needed to judge a run and to repeat it, written on failure too."""

import json
import logging
import platform
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType

from pydantic import BaseModel, JsonValue

from fruits_pipeline import timeline
from fruits_pipeline.errors import DatasetError, exit_code
from fruits_pipeline.settings.rates import rates_of
from fruits_pipeline.state.counts import Change, Counts
from fruits_pipeline.state.layout import COMMANDS, RUN_RECORD, STEPS
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.spent import ClusterUse, Spent
from fruits_pipeline.storage import request_counts
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

_PACKAGES = (
    "fruits-pipeline",
    "pyspark",
    "openvino",
    "tensorflow-cpu",
    "numpy",
    "pandas",
    "pillow",
    "pyarrow",
)


# What the record of a command that is done keeps of one that was refused after it.
_OF_REFUSED = ("command", "started", "finished", "exit_code", "error")


class RunRecord:
    """What one command did, room by room."""

    def __init__(self, command: str, settings: dict[str, JsonValue]) -> None:
        """``settings`` are all settings of the command, flat; their ``rates`` say what it costs."""
        self._began_s = time.monotonic()
        self._steps = STEPS.get(command, ())
        self.counts = Counts()
        self.change = Change()
        self.rooms: dict[str, BaseModel] = {}
        self.next_steps: list[str] = []
        self.verdicts: list[JsonValue] | None = None
        self.seconds: dict[str, float] = {}
        self.cluster = ClusterUse()
        self._rates = rates_of(str(settings["rates"])) if settings.get("rates") else None
        self._requests_before = request_counts.so_far()
        self._stands: dict[str, JsonValue] | None = None
        self._content: dict[str, JsonValue] = {
            "fruits_pipeline": version("fruits-pipeline"),
            "command": command,
            "status": "running",
            "exit_code": None,
            "error": None,
            "started": _now(),
            "settings": settings,
            "machine": {"system": platform.platform(), "python": platform.python_version()},
            "versions": _versions(),
        }

    @property
    def content(self) -> dict[str, JsonValue]:
        """What ``run.json`` holds."""
        rooms: dict[str, JsonValue] = {name: facts.model_dump(mode="json") for name, facts in self.rooms.items()}
        seconds: dict[str, JsonValue] = dict(self.seconds)
        next_steps: list[JsonValue] = list(self.next_steps)
        return (
            self._content
            | {
                "counts": self.counts.model_dump(),
                "change": self.change.model_dump(),
                "rooms": rooms,
                "seconds": seconds,
                "timeline": timeline.as_json(),
                "cost": self._spent.model_dump(mode="json"),
                "next": next_steps,
            }
            | ({} if self.verdicts is None else {"verdicts": self.verdicts})
        )

    @property
    def _spent(self) -> Spent:
        sent = {kind: count - self._requests_before[kind] for kind, count in request_counts.so_far().items()}
        hours = round((time.monotonic() - self._began_s) / 3600, 4)
        spent = Spent(hours=hours, requests=sent, **self.cluster._asdict())
        return spent.at(self._rates) if self._rates else spent

    @contextmanager
    def kept(self, store: Store) -> Iterator["RunRecord"]:
        """Writes ``run.json`` when the block begins, as running, and when it ends, however it ends.

        The record of a command that is done stands until ``begin``: what ends before has changed nothing that the
        record tells of, and is noted in it as refused.

        Raises:
            DatasetError: When the ``run.json`` that stands there is somebody else's, or the counts do not add up.
        """
        stood = load_record(store)
        if stood is None or stood.get("status") != "done":
            self.begin(store)
        else:
            self._stands = stood
        with ExitStack() as stack:
            stack.push(partial(self._end, store))
            yield self
            self.counts.checked()

    def begin(self, store: Store) -> None:
        """Replaces the record of the command before, because what it tells of may change from here on."""
        self._stands = None
        self._write(store)

    @contextmanager
    def timed(self, room: str) -> Iterator[None]:
        """Notes the seconds that the block takes, and logs its end."""
        started_s = time.monotonic()
        try:
            with timeline.step(room):
                yield
        finally:
            self.seconds[room] = round(time.monotonic() - started_s, 1)
        log.info("%s: %s seconds=%.1f", _place(room, self._steps), room, self.seconds[room])

    def tell_next(self, rooms: Rooms, digest: str) -> None:
        """Notes what to run next: what was removed, or was made from another snapshot than that of ``digest``."""
        removed = {COMMANDS[room] for room in rooms.removed}
        for command in dict.fromkeys(COMMANDS[room] for room in (*rooms.stale(digest), *rooms.removed)):
            what = "were removed, because they were" if command in removed else "are"
            self.next_steps.append(f"run '{command}': its results {what} from before the change")
            log.warning("next: %s", self.next_steps[-1])

    def _end(
        self, store: Store, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Notes how the command ended, and writes ``run.json``."""
        self._content |= {
            "status": "failed" if error else "done",
            "exit_code": exit_code(error),
            "error": None if error is None else f"{type(error).__name__}: {error}",
            "finished": _now(),
            "seconds_total": round(time.monotonic() - self._began_s, 1),
        }
        if self._stands is None or error is None:
            self._write(store)
        else:
            told = {name: self._content[name] for name in _OF_REFUSED}
            _write(store, self._stands | {"refused": told})

    def _write(self, store: Store) -> None:
        _write(store, self.content)


def _write(store: Store, content: dict[str, JsonValue]) -> None:
    store.write(RUN_RECORD, json.dumps(content, indent=1, ensure_ascii=False).encode())


def load_record(store: Store) -> dict[str, JsonValue] | None:
    """What the output's ``run.json`` holds; None where there is none.

    Raises:
        DatasetError: When it is no run's record, which no job replaces.
    """
    if store.stat(RUN_RECORD) is None:
        return None
    try:
        found = json.loads(store.read(RUN_RECORD))
    except ValueError:
        found = None
    if not isinstance(found, dict) or "fruits_pipeline" not in found:
        raise DatasetError(
            f"expected {store.root}/{RUN_RECORD} to be absent or written by fruits-pipeline, found another file; take "
            "another --output-uri"
        )
    return found


def _place(step: str, steps: tuple[str, ...]) -> str:
    """How far a command is at the end of ``step``.

    >>> _place("features", ("ingest", "features", "reduce", "classify")), _place("another", ())
    ('step 2/4 done', 'step done')
    """
    return f"step {steps.index(step) + 1}/{len(steps)} done" if step in steps else "step done"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _versions() -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found
