"""Peak memory of one Python worker: the real UDF over batches as Spark hands them on, in a process of its own.

    python benchmarks/worker_memory.py [--cache-dir DIR] [--precision f32 int8]

draws its images, and prints for each kind of image and precision the largest resident set that the process had.
"""

import argparse
import io
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image, ImageFilter

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.model import ModelRequest, prepare
from fruits_pipeline.features.batch import Plan
from fruits_pipeline.features.tasks import rows_of_batch
from fruits_pipeline.features.udf import featurise

# Width, height, and how many are read: some ten batches.
KINDS = {"100x100": (100, 100, 320), "12-megapixel": (4000, 3000, 80)}
LIMITS_MB = {"100x100": 400, "12-megapixel": 600}
BATCH_ROWS = 32
DRAWN = 4


class Shared:
    """What a broadcast and an accumulator are to the UDF."""

    def __init__(self, value: object) -> None:
        self.value = value

    def add(self, rows: int) -> None:
        """Nothing is counted here."""


def drawn(width: int, height: int, seed: int) -> bytes:
    """A JPEG of colour gradients with noise: 3 to 5 MB at 12 megapixels, as phones leave them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    values = np.stack([x * 255 / width, y * 255 / height, (x + y) % 256], axis=-1)
    values += rng.normal(0, 18, values.shape).astype(np.float32)
    image = Image.fromarray(values.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=94)
    return stream.getvalue()


def batches(contents: list[bytes], images: int, rows: int) -> Iterator[pd.Series]:
    """Series of bytes; Arrow's copy stays alive beside pandas', as in Spark's own serializer."""
    for start in range(0, images, rows):
        taken = [contents[n % len(contents)] for n in range(start, min(start + rows, images))]
        arrow = pa.RecordBatch.from_arrays([pa.array(taken, pa.binary())], names=["content"])
        yield arrow.column(0).to_pandas()


def peak_mb() -> int:
    """Largest resident set of this process so far; ``ru_maxrss`` would count the parent before ``exec`` too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def worker(folder: Path, images: int) -> None:
    """Runs the UDF and prints the peak."""
    model = pickle.loads((folder / "model").read_bytes())  # noqa: S301 because our own parent wrote it
    contents = [file.read_bytes() for file in sorted(folder.glob("*.jpg"))]
    rows = rows_of_batch([len(content) for content in contents], BATCH_ROWS)
    plan = Plan(model.image_size, 100_000_000, 0.8, 1, 60.0)
    udf = featurise(Shared(model), plan, Shared(None))  # type: ignore[arg-type]  # because they stand for Spark's
    frames = udf.func(batches(contents, images, rows))  # type: ignore[attr-defined]  # because Spark's UDF keeps it there
    read = sum(int(frame["reason"].isna().sum()) for frame in frames)
    assert read == images, f"expected {images} images to be read, found {read}"
    print(f"{peak_mb()} {rows}")


def main() -> None:
    """Measures each kind of image at each precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    parser.add_argument("--precision", nargs="*", default=["f32"])
    parser.add_argument("--worker", nargs=2, metavar=("FOLDER", "IMAGES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(Path(options.worker[0]), int(options.worker[1]))
        return
    print(f"{'images':14} {'precision':9} {'rows':>4} {'peak MB':>7} {'limit':>5}")
    for kind, (width, height, images) in KINDS.items():
        contents = [drawn(width, height, seed) for seed in range(DRAWN)]
        for precision in options.precision:
            with tempfile.TemporaryDirectory() as name:
                model = prepare(ModelRequest(precision=precision, cache_dir=options.cache_dir))
                (Path(name) / "model").write_bytes(pickle.dumps(model))
                for n, content in enumerate(contents):
                    (Path(name) / f"{n}.jpg").write_bytes(content)
                command = [sys.executable, __file__, "--worker", name, str(images)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
            peak, rows = done.stdout.split()
            print(f"{kind:14} {precision:9} {rows:>4} {peak:>7} {LIMITS_MB[kind]:>5}", flush=True)


if __name__ == "__main__":
    main()
