"""(g) The bound: our decoder and our model in two plain processes; files are read, features are not written."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fruits_pipeline.backbones.model import Model, ModelRequest, prepare
from lines.work import BATCH, PROCESSES, features_of

_held: list[Model] = []


@contextmanager
def started(request: ModelRequest) -> Iterator[Callable[[Path, Path], None]]:
    """The processes, and a function that computes the features of a folder of images."""
    with multiprocessing.get_context("spawn").Pool(PROCESSES, _hold, (prepare(request),)) as pool:

        def compute(images: Path, _out: Path) -> None:
            files = sorted(file for file in images.rglob("*") if file.is_file())
            batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
            assert sum(pool.imap_unordered(_computed, batches)) == len(files)

        yield compute


def _hold(model: Model) -> None:
    _held.append(model)


def _computed(files: list[Path]) -> int:
    return len(features_of([file.read_bytes() for file in files], _held[0]))
