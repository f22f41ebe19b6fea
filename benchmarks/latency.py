"""The feature job on S3 and GCS servers whose every response is 30 ms late, against the same job without any I/O.

Without I/O: the same manifest, tasks, UDF and output, but the contents are held in memory. Servers and the line
that delays run on the same cores as the job, and take their processor time from it: how much is measured too.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from statistics import median

from delay_line import DelayLine
from fruits_pipeline.backbones.model import ModelRequest
from fruits_pipeline.features import compute_features
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.features.readers.choice import chosen_reader
from fruits_pipeline.features.readers.prefetch import Prefetch
from fruits_pipeline.settings.storage import StorageSettings
from images import add_places, images_folder, shared_with_workers, staged
from lines.f_ours import Extract, started
from machine import processor_s

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from servers.fake_gcs import fake_gcs
from servers.seaweed import seaweedfs

_DELAY_S = 0.030
_ROUNDS = 3
_HELD = 64
_BUCKET = "bench"


@dataclass(frozen=True)
class Place:
    """Where a pass reads: the address of the bucket or folder that holds both sets, and the line to its server."""

    name: str
    root: str
    line: DelayLine | None = None


@dataclass(frozen=True)
class FromMemory(Prefetch):
    """The prefetch reader with the fetch left out."""

    held: tuple[bytes, ...] = ()

    def contents(self, wanted: Iterable[object]) -> Generator[bytes, None, None]:
        """Contents from memory, again and again, as many as are wanted."""
        for _, content in zip(wanted, cycle(self.held), strict=False):
            yield content


def main() -> None:
    """Prints ratio and requests for each kind of server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2560)
    parser.add_argument("--images-short", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    add_places(parser)
    asked = parser.parse_args()
    shared_with_workers()
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as folder, ExitStack() as stack:
        scratch = Path(folder)
        source = images_folder(asked.images_folder, scratch)
        sets = {
            name: staged(source, images, scratch / "sets" / name)
            for name, images in (("short", asked.images_short), ("long", asked.images))
        }
        places, storage = _served(stack, sets)
        request = replace(ModelRequest(), cache_dir=asked.cache_dir)
        extract = stack.enter_context(started(request, storage, "prefetch"))
        rounds = [
            {place.name: _pass(extract, place, sets, scratch / f"out-{number}-{place.name}") for place in places}
            for number in range(asked.rounds + 1)
        ][1:]  # because the first round starts the workers
    rate = (asked.images - asked.images_short) / median(took[places[0].name]["seconds"] for took in rounds)
    figures = [{"what": "images/s without I/O, in latency.py", "found": round(rate, 1)}]
    for place in places[1:]:
        figures += _figures(rounds, places[0].name, place.name, asked.images)
    print(json.dumps({"figures": figures, "rounds": rounds}))


def _served(stack: ExitStack, sets: dict[str, Path]) -> tuple[list[Place], StorageSettings]:
    """Starts the servers and fills them; the first place is memory."""
    seaweed, gcs = stack.enter_context(seaweedfs()), stack.enter_context(fake_gcs())
    os.environ.update(seaweed.environment())
    root = next(iter(sets.values())).parent
    objects = {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
    seaweed.fill_s3(_BUCKET, objects)
    gcs.fill_gcs(_BUCKET, objects)
    s3_line, gcs_line = (stack.enter_context(DelayLine(server.port, _DELAY_S)) for server in (seaweed, gcs))
    storage = StorageSettings(
        s3_endpoint_url=s3_line.url, s3_region="us-east-1", gcs_endpoint_url=gcs_line.url, gcs_anonymous=True
    )
    held = tuple(list(objects.values())[:_HELD])

    def reader(job: FeatureJob, images: object) -> object:
        """The job's own reader for buckets, memory for the folder."""
        own = chosen_reader(job, images)
        if not job.source.root.startswith("file:"):
            return own
        return FromMemory(own.storage, own.window, own.patience, own.batch_rows, held)

    compute_features.chosen_reader = reader
    places = [Place("no I/O", str(root)), Place("S3", f"s3://{_BUCKET}", s3_line)]
    return [*places, Place("GCS", f"gs://{_BUCKET}", gcs_line)], storage


def _pass(extract: Extract, place: Place, sets: dict[str, Path], out: Path) -> dict[str, object]:
    """Seconds of long less those of short, processor seconds of server and line likewise, requests of the long one."""
    seconds, others = {}, {}
    for name in sets:
        if place.line:
            place.line.counts.clear()
        before, began_s = _others_s(place), time.monotonic()
        extract(f"{place.root}/{name}", out / name)
        seconds[name], others[name] = time.monotonic() - began_s, _others_s(place) - before
    requests = dict(place.line.counts) if place.line else {}
    return {
        "seconds": round(seconds["long"] - seconds["short"], 2),
        "others_s": round(others["long"] - others["short"], 2),
        "requests": requests,
    }


def _others_s(place: Place) -> float:
    """Processor seconds that server and line have taken so far."""
    return processor_s("weed", "fake-gcs-server") + place.line.processor_s() if place.line else 0.0


def _figures(rounds: list[dict[str, dict]], memory: str, name: str, images: int) -> list[dict[str, object]]:
    """The ratio of one kind of server, and what it was asked in the last long pass."""
    ratio = median(took[memory]["seconds"] / took[name]["seconds"] for took in rounds)
    cores = len(os.sched_getaffinity(0))
    alone = median(
        took[memory]["seconds"] / (took[name]["seconds"] - took[name]["others_s"] / cores) for took in rounds
    )
    requests = dict(rounds[-1][name]["requests"])
    lists = requests.pop("LIST", 0)
    return [
        {"what": f"{name}, every response 30 ms late / no I/O at all", "found": round(ratio, 3), "at_least": 0.9},
        {
            "what": f"{name}: the same, less the processor time of server and line on all cores",
            "found": round(alone, 3),
        },
        {"what": f"{name}: lists for {images} images", "found": lists},
        {
            "what": f"{name}: requests per image, lists apart",
            "found": round(sum(requests.values()) / images, 2),
            "at_most": 1.0,
            "requests": requests,
        },
    ]


if __name__ == "__main__":
    main()
