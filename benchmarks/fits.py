"""What the fits cost beside the features, and how accurate they are: from ``run.json`` of a whole run.

.venv/bin/python benchmarks/fits.py                   # runs the main job on all images first
.venv/bin/python benchmarks/fits.py results results8  # reads outputs that are there
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from images import add_places, images_folder


def main() -> None:
    """Prints two ratios and two accuracies for each output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", nargs="*", type=Path, help="outputs of `run`, from one uninterrupted command each")
    add_places(parser)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as folder:
        scratch = Path(folder)
        outputs = asked.output or [_run(images_folder(asked.images_folder, scratch), scratch / "out", asked.cache_dir)]
        print(json.dumps({"figures": [figure for output in outputs for figure in _figures(output)]}))


def _run(source: Path, out: Path, cache: Path) -> Path:
    places = ["--data-source", str(source), "--output-uri", str(out), "--cache-dir", str(cache)]
    subprocess.run([sys.executable, "-m", "fruits_pipeline", "run", *places], check=True, stdout=sys.stderr)
    return out


def _figures(output: Path) -> list[dict[str, object]]:
    run = json.loads((output / "run.json").read_text(encoding="utf-8"))
    seconds, scores, settings = run["seconds"], run["rooms"]["classify"]["scores"], run["settings"]
    fits_s = sum(run["rooms"]["classify"]["fit_s"].values())
    size = f", {settings['image_size']} px" if settings["image_size"] else ""
    name = f"({run['counts']['read']} images, {settings['precision']}{size})"
    return [
        {"what": f"PCA / features {name}", "found": round(seconds["reduce"] / seconds["features"], 3), "at_most": 0.15},
        {
            "what": f"forest plus regression, predictions and scores / features {name}",
            "found": round(seconds["classify"] / seconds["features"], 3),
            "at_most": 0.5,
            "seconds": seconds,
        },
        {"what": f"their two fits alone / features {name}", "found": round(fits_s / seconds["features"], 3)},
        *(
            {"what": f"accuracy of {classifier} {name}", "found": round(100 * score["accuracy"], 2), "unit": "%"}
            for classifier, score in sorted(scores.items())
        ),
    ]


if __name__ == "__main__":
    main()
