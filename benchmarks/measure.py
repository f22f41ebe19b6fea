"""One line in a process of its own: starts it, runs its passes, prints one JSON object on its last line.

    .venv/bin/python benchmarks/measure.py f-f32

Images a second without start-up: a first pass wakes workers and loads models, then a short and a long pass follow in
the same workers, and the rate is (images of long - images of short) / (seconds of long - seconds of short). What
every pass costs once, such as rebuilding a model in each task, planning, or committing, is left out alike for all.
"""

import argparse
import importlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

# Workers of Spark, Ray and Daft import the lines too.
os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pyarrow.dataset as ds

from catalog import LINES, Line
from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.model import Precision
from fruits_pipeline.errors import ModelError
from images import add_places, images_folder, staged
from machine import worker_peak_mb


def main() -> None:
    """Prints what one line did, or why it cannot run here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("line", choices=LINES)
    parser.add_argument("--images", type=int, help="images of the long pass; by default the line's own")
    add_places(parser)
    asked = parser.parse_args()
    line = LINES[asked.line]
    line = replace(line, long=asked.images or line.long, request=replace(line.request, cache_dir=asked.cache_dir))
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as scratch:
        print(json.dumps({"line": asked.line} | _measured(line, asked.images_folder, Path(scratch))), flush=True)


def _measured(line: Line, named: Path | None, scratch: Path) -> dict[str, object]:
    if line.request.precision not in get_args(Precision):
        return {"skipped": f"this version has no {line.request.precision}"}
    source = images_folder(named, scratch)
    short, long = (staged(source, images, scratch / f"images-{images}") for images in (line.short, line.long))
    began_s = time.monotonic()
    try:
        with importlib.import_module(f"lines.{line.module}").started(line.request) as features_of:
            features_of(short, scratch / "warm")
            startup_s = time.monotonic() - began_s
            seconds = [_timed(features_of, images, scratch / f"out-{images.name}") for images in (short, long)]
            peak_mb = worker_peak_mb() if line.workers_stay else None
    except (ImportError, ModelError) as error:
        return {"skipped": str(error)}
    if seconds[1] <= seconds[0]:
        return {"failed": f"the short pass took {seconds[0]:.1f} s and the long one less: the machine is not quiet"}
    facts = _written(scratch / f"out-{long.name}", line)
    return facts | {
        "images": line.long,
        "images_short": line.short,
        "seconds": round(seconds[1], 3),
        "seconds_short": round(seconds[0], 3),
        "images_per_s": round((line.long - line.short) / (seconds[1] - seconds[0]), 2),
        "images_per_s_of_long_pass": round(line.long / seconds[1], 2),
        "startup_s": round(startup_s, 2),
        "worker_peak_mb": peak_mb,
    }


def _timed(features_of: Callable[[Path, Path], None], images: Path, out: Path) -> float:
    began_s = time.monotonic()
    features_of(images, out)
    return time.monotonic() - began_s


def _written(out: Path, line: Line) -> dict[str, object]:
    """What the long pass wrote, held against what it had to write."""
    folder = out / "features" if (out / "features").is_dir() else out
    if not folder.is_dir():
        return {"rows_written": 0}
    table = ds.dataset(sorted(map(str, folder.rglob("*.parquet")))).to_table(columns=["features"])
    lists = table["features"].combine_chunks()
    values = lists.flatten().to_numpy()
    assert table.num_rows == line.long, f"expected {line.long} rows, found {table.num_rows}"
    assert len(values) == line.long * backbone_named(line.request.backbone).dimension
    return {"rows_written": table.num_rows, "mean_feature": round(float(values.mean(dtype="float64")), 5)}


if __name__ == "__main__":
    main()
