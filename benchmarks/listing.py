"""A million keys from a server that answers S3's list requests into a plan: memory and processor time of the lister.

What grows is the memory of the process that lists (its peak, less what it held before), and what counts is its own
processor time; the server is a process of its own.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile

from list_server import ADDRESS, list_server

_WAVE_IMAGES = 200_000


def main() -> None:
    """Prints memory and processor time, from a child that does nothing else."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--images-folder", help="taken as by the other scripts; no image is read")
    parser.add_argument("--cache-dir", help="taken as by the other scripts; no model is needed")
    asked = parser.parse_args()
    with list_server(asked.keys) as endpoint, multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(_listed, (endpoint, asked.keys))
    name = f"{asked.keys:,} keys into a manifest"
    figures = [
        {"what": f"{name}: memory grows by", "found": found["grown_mb"], "unit": "MB", "at_most": 300},
        {"what": f"{name}: processor time", "found": found["processor_s"], "unit": "s", "at_most": 120},
    ]
    print(json.dumps({"figures": figures}))


def _listed(endpoint: str, keys: int) -> dict[str, float]:
    """Lists all into manifests on disk; MiB and seconds of this process."""
    from fruits_pipeline.ingest.plan_waves import Cut, plan_waves
    from fruits_pipeline.settings.ingest import IngestSettings
    from fruits_pipeline.settings.storage import StorageSettings
    from fruits_pipeline.state.plan import Plan
    from fruits_pipeline.storage.opening import open_store
    from fruits_pipeline.storage.source import parse_source

    source = parse_source(ADDRESS, StorageSettings(s3_endpoint_url=endpoint))
    nothing = Plan(settings={}, source_root="")
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as out:
        before_mb, before_s = _peak_mb(), _processor_s()
        plan = plan_waves(source, open_store(out), IngestSettings(data_source=ADDRESS), nothing, Cut(_WAVE_IMAGES))
        grown_mb, taken_s = _peak_mb() - before_mb, _processor_s() - before_s
    assert plan.counts.pending == keys, f"expected {keys} images in the plan, found {plan.counts.pending}"
    return {"grown_mb": round(grown_mb, 1), "processor_s": round(taken_s, 1)}


def _peak_mb() -> float:
    """The most memory that this process has held so far; before the work, about what it holds."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
