"""``fruits-pipeline`` on a given small model, which traces what its store writes and ends itself by SIGKILL at a point.

Its words: a JSON of ``Orders``, then those of the command.
"""

import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from json import dumps, loads
from pathlib import Path

# What Spark draws at random in the names of its files.
_RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Orders:
    """What the runner does beside the command.

    Attributes:
        model: Folder of the model, ``m.xml`` and ``m.bin``.
        output: Folder of the output.
        trace: File to which each operation is added as ``WHAT KEY``.
        what: ``write``, ``create`` or ``delete`` of the store, or ``appears``, for what Spark writes; empty for none.
        key: The key of the operation, random parts as ``*``; for ``appears`` a pattern of keys.
        times: The how many-th of such operations.
        moment: ``before`` it, ``within`` it (written, but not in its place) or ``after`` it.
    """

    model: str
    output: str
    trace: str = ""
    what: str = ""
    key: str = ""
    times: int = 1
    moment: str = "before"

    def words(self) -> list[str]:
        """The words by which a process gets them."""
        return [str(Path(__file__)), dumps(asdict(self))]


def die() -> None:
    """Ends this process as if its machine were gone."""
    os.kill(os.getpid(), signal.SIGKILL)


class Trap:
    """Traces the operations of the store, and ends the process at the one that is named."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._within = threading.local()

    @contextmanager
    def operation(self, what: str, key: str) -> Iterator[None]:
        """One operation, which the block does."""
        masked = _RANDOM.sub("*", key)
        with self._lock:
            self._seen[what, masked] += 1
            here = (what, masked, self._seen[what, masked]) == (
                self._orders.what,
                self._orders.key,
                self._orders.times,
            )
            if self._orders.trace:
                with Path(self._orders.trace).open("a") as trace:
                    trace.write(f"{what} {masked}\n")
        if here and self._orders.moment == "before":
            die()
        self._within.here = here and self._orders.moment == "within"
        yield
        if here:
            die()

    def in_place(self, whole: Callable[..., object]) -> Callable[..., object]:
        """``whole``, which puts a written file into its place, or the end where that is the point."""

        def wrapped(*words: object, **named: object) -> object:
            if getattr(self._within, "here", False):
                die()
            return whole(*words, **named)

        return wrapped

    def watch(self) -> None:
        """Ends the process when a new file or folder appears at the key."""
        before = self._matching()
        while not self._matching() - before:
            time.sleep(0.002)
        die()

    def _matching(self) -> set[Path]:
        try:
            return set(Path(self._orders.output).glob(self._orders.key))
        except FileNotFoundError:  # because folders go while they are looked through
            return set()


def install(trap: Trap, put: Callable[[object, str, object], None]) -> None:
    """Lets every store of files ask the trap; ``put`` sets an attribute."""
    from fruits_pipeline.storage.local import LocalStore

    def traced(what: str, whole: Callable[..., object]) -> Callable[..., object]:
        def method(self: LocalStore, key: str, content: object) -> object:
            with trap.operation(what, key):
                return whole(self, key, content)

        return method

    for name, what in (("write", "write"), ("put", "write"), ("create", "create")):
        put(LocalStore, name, traced(what, getattr(LocalStore, name)))
    delete = LocalStore.delete

    def deleted(self: LocalStore, keys: list[str]) -> None:
        for key in keys:
            with trap.operation("delete", key):
                delete(self, [key])

    put(LocalStore, "delete", deleted)
    put(Path, "replace", trap.in_place(Path.replace))
    put(os, "link", trap.in_place(os.link))


def main() -> int:
    """Runs the command."""
    from fruits_pipeline import cli, pipeline
    from fruits_pipeline.backbones.model import Model
    from fruits_pipeline.settings.features import FeaturesSettings

    orders = Orders(**loads(sys.argv[1]))
    parts = tuple((Path(orders.model) / name).read_bytes() for name in ("m.xml", "m.bin"))
    size = int(os.environ["FRUITS_IMAGE_SIZE"])

    def prepare(_: FeaturesSettings) -> Model:
        return Model("mobilenetv2", "openvino", "f32", size, 3, parts)

    pipeline.prepare = prepare
    trap = Trap(orders)
    if orders.what == "appears":
        threading.Thread(target=trap.watch, daemon=True).start()
    install(trap, setattr)
    return cli.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
