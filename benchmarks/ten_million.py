"""Ten million keys: seconds and memory of the driver in ingest, in features, at a second start, and in ``verify``.

    .venv/bin/python benchmarks/ten_million.py                       # about an hour on two cores
    .venv/bin/python benchmarks/ten_million.py --keys 200000 --feature-keys 30000 --wave-images 10000

The keys are those of ``list_server.py``. Inference would take hours: a script writes tiny feature files, as many for a
wave as Spark's tasks would, and marks the waves by the product's own code. Beside it, a few waves go through the whole
feature job with a stand-in engine of three floats that reads no image. Each phase runs in a process of its own, and
all but ``mark`` and ``verify`` are the command ``extract`` itself, with a Spark session.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import machine
from list_server import list_server

# (phase, what it is, most seconds)
_PHASES = (
    ("ingest", "ingest", None),
    ("mark", "features and markers by a script (no product figure)", None),
    ("resume", "second start of the finished output, the source not listed", 60),
    ("verify", "verify", None),
    ("again", "second start of the finished output, the source listed and compared", None),
)
_MOST_MB = 2048
_LIMIT_S = 4 * 3600


def main() -> None:
    """Prints all figures; writes them to ``--results`` where it is given."""
    asked = _arguments()
    facts = machine.facts()
    with tempfile.TemporaryDirectory(prefix="fruits-bench-", dir=asked.scratch) as folder:
        figures = []
        if asked.part != "features":
            figures += _of_keys(Path(folder) / "keys", asked)
        if asked.part != "keys":
            figures += _of_features(Path(folder) / "features", asked)
    text = json.dumps({"machine": facts, "figures": figures}, indent=1)
    if asked.results:
        asked.results.write_text(text + "\n", encoding="utf-8")
    print(json.dumps({"figures": figures}))


def _of_keys(out: Path, asked: argparse.Namespace) -> list[dict[str, object]]:
    figures = []
    with list_server(asked.keys) as endpoint:
        for phase, what, most_s in _PHASES:
            figures += _figures(f"{asked.keys:,} keys, {what}", _phase(phase, endpoint, out, asked), most_s)
    return figures


def _of_features(out: Path, asked: argparse.Namespace) -> list[dict[str, object]]:
    with list_server(asked.feature_keys) as endpoint:
        found = _phase("features", endpoint, out, asked)
    waves = -(-asked.feature_keys // asked.wave_images)
    return _figures(f"{waves} waves of {asked.wave_images:,} rows through Spark, stand-in engine", found, None)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--feature-keys", type=int, default=600_000, help="keys that go through Spark")
    parser.add_argument("--wave-images", type=int, default=200_000, help="by default those of a cluster")
    parser.add_argument("--part", choices=["keys", "features", "both"], default="both")
    parser.add_argument("--results", type=Path, help="a JSON file for the figures and what they were measured on")
    parser.add_argument("--scratch", type=Path, help="where a gigabyte may lie meanwhile")
    return parser.parse_args()


def _phase(phase: str, endpoint: str, out: Path, asked: argparse.Namespace) -> dict[str, object]:
    """What a process of its own found."""
    command = [sys.executable, str(Path(__file__).with_name("ten_million_phase.py")), phase]
    done = subprocess.run(
        [*command, endpoint, str(out), str(asked.wave_images)],
        stdout=subprocess.PIPE, text=True, check=True, timeout=_LIMIT_S, env=os.environ,
    )  # fmt: skip  # because one flag a line says nothing more
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"{phase}: {found}", file=sys.stderr, flush=True)
    return found


def _figures(what: str, found: dict[str, object], most_s: int | None) -> list[dict[str, object]]:
    limit = {} if most_s is None else {"at_most": most_s}
    return [
        {"what": f"{what}: time", "found": found["seconds"], "unit": "s", "rooms": found["rooms"],
         "python_s": found["python_s"]} | limit,
        {"what": f"{what}: peak of Python and JVM", "found": found["mb"]["sum"], "unit": "MB", "at_most": _MOST_MB,
         "peaks_mb": found["mb"]},
    ]  # fmt: skip  # because a row is best read on a line


if __name__ == "__main__":
    main()
