"""Seconds from the start of ``fruits-pipeline extract`` until a worker has computed its first batch of features.

On images of ten labels; model converted, file cache warm, as on a laptop's second run. The command then goes on and is
ended.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from images import add_places, images_folder

_ROUNDS = 3
_LABELS = 10
_LIMIT_S = 180


def main() -> None:
    """Prints the median of some starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_places(parser)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as folder:
        scratch = Path(folder)
        source = _ten_labels(images_folder(asked.images_folder, scratch), scratch / "ten")
        seconds = [_first_row_s(source, scratch / f"out-{n}", asked.cache_dir) for n in range(_ROUNDS)]
    figure = {"what": "command to first feature row", "found": median(seconds), "unit": "s", "at_most": 15}
    print(json.dumps({"figures": [figure | {"seconds": seconds}]}))


def _ten_labels(images: Path, target: Path) -> Path:
    """A folder of links to the ten folders with most images, in each split."""
    folders: dict[str, list[Path]] = {}
    for folder in sorted(path for path in images.glob("*/*") if path.is_dir()):
        folders.setdefault(folder.name, []).append(folder)
    sizes = {label: sum(len(list(path.iterdir())) for path in paths) for label, paths in folders.items()}
    for label in sorted(folders, key=lambda name: -sizes[name])[:_LABELS]:
        for path in folders[label]:
            link = target / path.parent.name / label
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.resolve(), target_is_directory=True)
    return target


def _first_row_s(source: Path, out: Path, cache: Path) -> float:
    noted = out.with_suffix(".noted")
    hook = Path(__file__).resolve().parent / "first_row_hook"
    path = os.pathsep.join(filter(None, [str(hook), os.environ.get("PYTHONPATH")]))
    places = ["--data-source", str(source), "--output-uri", str(out), "--cache-dir", str(cache)]
    began_s = time.time()
    with subprocess.Popen(
        [sys.executable, "-m", "fruits_pipeline", "extract", *places],
        env=os.environ | {"PYTHONPATH": path, "FIRST_ROW_FILE": str(noted)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as command:
        while not noted.exists() and command.poll() is None and time.time() < began_s + _LIMIT_S:
            time.sleep(0.05)
        time.sleep(0.05)
        command.terminate()
    return round(float(noted.read_text(encoding="utf-8")) - began_s, 2)


if __name__ == "__main__":
    main()
