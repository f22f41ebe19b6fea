"""One phase of ``ten_million.py`` in this process: prints seconds and peaks as JSON on its last line.

``python_s`` is processor time of this process, without JVM and workers: what a busy machine lengthens least.

The model is a stand-in: none is loaded, and none is needed.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from fruits_pipeline import logs, pipeline, schemas
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.features import compute_features as features
from fruits_pipeline.features.batch import READ
from fruits_pipeline.features.job import FeatureJob, Reading
from fruits_pipeline.features.recipe import recipe_of
from fruits_pipeline.features.takeover import images_of
from fruits_pipeline.features.tasks import IMAGES_PER_TASK
from fruits_pipeline.session.tables import rows_of, spark_schema, write_small
from fruits_pipeline.settings.commands import ExtractCommand, VerifyCommand
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.output import OutputPlaceSettings, OutputSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.files import marks
from fruits_pipeline.state.layout import FEATURES, REJECTS, wave_folder
from fruits_pipeline.state.plan import Plan, PlannedWave, required_plan
from fruits_pipeline.state.snapshot import WaveMarker, mark_wave
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store
from fruits_pipeline.verify.verify_output import verify_output
from list_server import ADDRESS
from machine import DriverMemory

_MODEL = Model("mobilenetv2", "openvino", "f32", 224, 1280, (b"no model",))
_FLOATS = [0.25, 0.5, 0.75]
_SHA256 = "0" * 64


class _Planned(Exception):  # noqa: N818 because it is no error
    """The plan stands, and no more was wanted."""


def main() -> None:
    """Runs the phase that is named on the command line."""
    phase, endpoint, out, wave_images = sys.argv[1:]
    logs.configure("INFO")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    command = ExtractCommand(
        output=OutputSettings(output_uri=out),
        storage=StorageSettings(s3_endpoint_url=endpoint),
        ingest=IngestSettings(data_source=ADDRESS, wave_images=int(wave_images)),
    )
    began_s = time.monotonic()
    with DriverMemory() as memory:
        _PHASES[phase](command)
    seconds = round(time.monotonic() - began_s, 1)
    record = Path(out) / "run.json"
    rooms = json.loads(record.read_text(encoding="utf-8"))["seconds"] if phase not in _NOT_RECORDED else None
    used_s = round(time.process_time(), 1)
    print(json.dumps({"seconds": seconds, "python_s": used_s, "rooms": rooms, "mb": memory.peaks_mb()}))


def _ingest(command: ExtractCommand) -> None:
    """The command up to its plan."""

    def stop(*_: object) -> None:
        raise _Planned

    pipeline.compute_features = stop
    try:
        _extract(command)
    except _Planned:
        return


def _mark(command: ExtractCommand) -> None:
    """Feature files of three floats for each image, as many as Spark's tasks would write, and markers."""
    store = open_store(command.output.output_uri, command.storage)
    recipe = recipe_of(command.features, _MODEL)
    for wave in required_plan(store).waves:
        paths = images_of(store, wave)["path"].combine_chunks()
        for task, first in enumerate(range(0, len(paths), IMAGES_PER_TASK)):
            _write(
                store,
                f"{wave_folder(FEATURES, wave.wave)}/part-{task:05d}.parquet",
                paths[first : first + IMAGES_PER_TASK],
            )
        mark_wave(store, _marker(store, wave, recipe))


def _write(store: Store, key: str, paths: pa.Array) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_batches([_rows(paths)]).cast(schemas.FEATURES), sink, compression="zstd")
    store.write(key, sink.getvalue().to_pybytes())


def _marker(store: Store, wave: PlannedWave, recipe: object) -> WaveMarker:
    rejects = wave_folder(REJECTS, wave.wave)
    write_small(store, schemas.REJECTS.empty_table(), rejects, schemas.REJECTS)
    return WaveMarker(
        wave=wave.wave,
        digest=wave.digest,
        recipe=recipe,
        counts=wave.counts.model_copy(update={"read": wave.counts.pending, "pending": 0}).checked(),
        manifest=wave.manifest,
        files=marks(store, (wave_folder(FEATURES, wave.wave), rejects)),
    )


def _resume(command: ExtractCommand) -> None:
    """The command with the plan as it stands: the source is neither listed nor compared."""

    def kept(_source: object, _store: object, _settings: object, before: Plan, _cut: object) -> Plan:
        return before

    pipeline.plan_waves = kept
    _extract(command)


def _features(command: ExtractCommand) -> None:
    """The command, with an engine of three floats that reads no image."""
    features.probe = lambda *_: None
    features.chosen_reader = lambda *_: _StandIn()
    _extract(command)


class _StandIn:
    """See ``Reader``: paths go to the workers as by ``prefetch``, and come back with three floats."""

    def read_images(self, job: FeatureJob, reading: Reading) -> DataFrame:
        rows = rows_of(job.spark, reading.images.select(["path", "length"]))
        counter = job.counter

        def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                yield _rows(batch.column("path"))
                counter.add(batch.num_rows)

        return rows.repartition(reading.tasks).mapInArrow(over_batches, spark_schema(READ))

    def explain_missing(self, _job: FeatureJob, _path: str) -> None:
        return


def _rows(paths: pa.Array) -> pa.RecordBatch:
    """Rows of ``READ`` for images that nobody has read."""
    count = len(paths)
    sizes = pa.array([100] * count, pa.int32())
    floats = pa.array([_FLOATS] * count, pa.list_(pa.float32()))
    return pa.RecordBatch.from_arrays([paths, pa.array([_SHA256] * count), sizes, sizes, floats], schema=READ)


def _extract(command: ExtractCommand) -> None:
    pipeline.prepare = lambda _: _MODEL
    pipeline.execute("extract", command)


def _verify(command: ExtractCommand) -> None:
    place = OutputPlaceSettings(output_uri=command.output.output_uri)
    verdict = verify_output(VerifyCommand(output=place, storage=command.storage))
    logging.getLogger(__name__).info("%s", verdict.text)
    verdict.refuse_faults()


_PHASES: dict[str, Callable[[ExtractCommand], None]] = {
    "ingest": _ingest,
    "mark": _mark,
    "resume": _resume,
    "again": _extract,
    "verify": _verify,
    "features": _features,
}
_NOT_RECORDED = frozenset({"mark", "verify"})


if __name__ == "__main__":
    main()
