"""What `classify` costs at more rows than there are images: by stage, against the features of as many images.

    .venv/bin/python benchmarks/classify_at_scale.py OUTPUT --copies 1 5 25

OUTPUT is one of `run`. Its components are copied so often with some noise (a twentieth of each one's spread), and
`classify` runs on them in a process of its own, with an event log of Spark. Features are taken to cost as much for
each copy as `run.json` of OUTPUT tells. Scores say nothing here, since copies of one image lie on both sides.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.classify.fit_classifiers import fit_classifiers
from fruits_pipeline.session import tables
from fruits_pipeline.session.spark import spark_session
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.opening import open_store
from machine import DriverMemory

_NOISE = 0.05
# Words in the names of Spark's jobs, by what they are for.
_STAGES = {
    "forest": ("RandomForest", "DecisionTreeMetadata", "forest.py"),
    "regression": ("RDDLossFunction", "Summarizer", "LogisticRegression.scala:5"),
    "saving": ("SparkHadoopWriter", "treeModels", "StandardScaler", "PCA.scala", "LogisticRegression.scala:1"),
    "evaluation": ("judge.py",),
    "predictions": ("parquet at NativeMethod",),
}


def main() -> None:
    """Prints one row for each number of copies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="an output of `run`, from one uninterrupted command")
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 5, 25])
    parser.add_argument("--driver-memory", default=SessionSettings().driver_memory)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(_measured(asked, asked.copies[0])))
        return
    for copies in asked.copies:
        with tempfile.TemporaryDirectory(prefix="fruits-bench-") as scratch:
            logs = Path(scratch) / "conf"
            (Path(scratch) / "events").mkdir()
            logs.mkdir()
            lines = f"spark.eventLog.enabled true\nspark.eventLog.dir file:{scratch}/events\n"
            (logs / "spark-defaults.conf").write_text(lines, encoding="utf-8")
            command = [sys.executable, __file__, str(asked.output), "--copies", str(copies), "--one", scratch]
            command += ["--driver-memory", asked.driver_memory]
            environment = os.environ | {"SPARK_CONF_DIR": str(logs)}
            subprocess.run(command, check=True, env=environment)


def _measured(asked: argparse.Namespace, copies: int) -> dict[str, object]:
    output, scratch = asked.output, asked.one
    target = scratch / "out"
    files, rows = _jittered(output, target, copies)
    settings = SessionSettings(driver_memory=asked.driver_memory)
    with DriverMemory() as memory, spark_session(settings, StorageSettings(), frozenset({"file"})) as spark:
        began_s = time.monotonic()
        reduced = tables.read_whole(spark, files, rows, schemas.REDUCED, "reduced")
        found = fit_classifiers(open_store(str(target)), reduced, rows, ClassifySettings())
        seconds = time.monotonic() - began_s
    features_s = json.loads((output / "run.json").read_text(encoding="utf-8"))["seconds"]["features"] * copies
    return {
        "rows": rows,
        "seconds": round(seconds, 1),
        "features_s": round(features_s, 1),
        "classify_to_features": round(seconds / features_s, 3),
        "fit_s": found.fit_s,
        "training_rows": found.training_rows,
        "jobs_s": _by_stage(next((scratch / "events").iterdir())),
        "mb": memory.peaks_mb(),
    }


def _jittered(output: Path, target: Path, copies: int) -> tuple[list[str], int]:
    """Files of ``reduced`` with ``copies`` times the rows, and their number; the saved reduction beside them."""
    (target / "reduced").mkdir(parents=True)
    shutil.copytree(output / "models" / "reduce", target / "models" / "reduce")
    table = ds.dataset(sorted(map(str, (output / "reduced").glob("*.parquet")))).to_table()
    values = table["pca_features"].combine_chunks().flatten().to_numpy().reshape(len(table), -1)
    spread, noise = values.std(axis=0), np.random.default_rng(0)
    files = []
    for copy in range(copies):
        jitter = (noise.normal(size=values.shape) * spread * _NOISE * (copy > 0)).astype(np.float32)
        ends = pa.array(np.arange(0, values.size + 1, values.shape[1], np.int32))
        changed = {
            "path": [f"{path}?{copy}" for path in table["path"].to_pylist()],
            "content_sha256": [_digest(sha256, copy) for sha256 in table["content_sha256"].to_pylist()],
            "pca_features": pa.ListArray.from_arrays(ends, pa.array((values + jitter).ravel())),
        }
        columns = [changed.get(name, table[name]) for name in schemas.REDUCED.names]
        file = target / "reduced" / f"part-{copy:05d}.parquet"
        pq.write_table(pa.table(columns, schema=schemas.REDUCED), file, compression="zstd")
        files.append(f"file://{file}")
    return files, copies * len(table)


def _digest(sha256: str, copy: int) -> str:
    return hashlib.sha256(f"{sha256}{copy}".encode()).hexdigest() if copy else sha256


def _by_stage(log: Path) -> dict[str, float]:
    """Seconds in which a job of each kind ran, from Spark's event log; jobs at the same time count once."""
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    names = {
        event["Stage Info"]["Stage ID"]: event["Stage Info"]["Stage Name"]
        for event in events
        if event["Event"] == "SparkListenerStageSubmitted"
    }
    ended = {e["Job ID"]: e["Completion Time"] for e in events if e["Event"] == "SparkListenerJobEnd"}
    seconds: Counter[str] = Counter()
    until: Counter[str] = Counter()
    for event in (event for event in events if event["Event"] == "SparkListenerJobStart"):
        name = " ".join(names.get(stage, "") for stage in event["Stage IDs"])
        kind = next((kind for kind, words in _STAGES.items() if any(word in name for word in words)), "other")
        start, end = max(event["Submission Time"], until[kind]), ended[event["Job ID"]]
        seconds[kind] += max(end - start, 0) / 1000
        until[kind] = max(until[kind], end)
    return {kind: round(spent, 1) for kind, spent in seconds.most_common()}


if __name__ == "__main__":
    main()
