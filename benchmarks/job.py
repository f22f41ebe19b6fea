"""Ways of doing the whole job, images to judged classifiers: each a command of its own, timed from start to end.

    make bench-job                                                        # all images, three rounds
    .venv/bin/python benchmarks/job.py --labels 3 --rounds 1 --only notebook,ours-f32

Prints a table of medians and ratios, and writes every single figure to benchmarks/results/job-DATE.json.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import machine
from fruits_pipeline.backbones.model import ModelRequest
from images import add_places, images_folder
from prepare import prepare_models
from report import Row, ratios, spread, why

_HERE = Path(__file__).resolve().parent
_SPLITS = ("Training", "Test")
_CLASSIFIERS = ("random_forest", "logistic_regression")
_SAMPLED_EVERY_S = 0.5
_LIMIT_S = 3600
_SEED = 42
_OURS = ("-m", "fruits_pipeline", "run", "--log-level", "WARNING")
_NOTEBOOK = str(_HERE / "job_notebook.py")
# Name: what it is, and the command, which is told the places of images, output and models besides.
_LINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "notebook": ("the notebook way, Spark's forest as it comes", (_NOTEBOOK,)),
    "notebook-forest": ("the notebook way, our forest's settings", (_NOTEBOOK, "--our-forest")),
    "ours-f32": ("ours, f32", _OURS),
    "ours-int8-192": ("ours, int8 at 192 px", (*_OURS, "--precision", "int8", "--image-size", "192")),
    "daft": ("Daft with our model, then scikit-learn", (str(_HERE / "job_daft.py"),)),
}
_INT8 = ModelRequest(precision="int8", image_size=192)


def main() -> None:
    """Runs what is asked for, prints the table, and writes the results."""
    asked = _arguments()
    facts = machine.facts()
    requests = [ModelRequest(), *([_INT8] if "ours-int8-192" in asked.only else [])]
    prepare_models(requests, asked.images_folder, ["--cache-dir", str(asked.cache_dir)])
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as folder:
        scratch = Path(folder)
        images = _staged(images_folder(asked.images_folder, scratch), asked, scratch / "images")
        counts = {split: sum(1 for file in (images / split).glob("*/*")) for split in _SPLITS}
        labels = sorted(file.name for file in (images / _SPLITS[0]).iterdir())
        rounds = [
            {"round": number, "line": line} | _measured(line, images, scratch / "work", asked.cache_dir)
            for number in range(1, asked.rounds + 1)
            for line in asked.only
        ]
    asked.results.mkdir(parents=True, exist_ok=True)
    result = {"machine": facts, "images": counts, "labels": labels, "rounds": rounds}
    file = asked.results / f"job-{str(facts['date'])[:10]}.json"
    file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\n{_table(rounds)}\n\n{counts}, {len(labels)} labels. Written to {file}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=_names, default=list(_LINES), help=f"of {','.join(_LINES)}")
    few = parser.add_mutually_exclusive_group()
    few.add_argument("--labels", type=int, help="take only the first so many labels, by alphabet")
    few.add_argument("--ten", action="store_true", help="take only the ten labels of most images")
    parser.add_argument("--results", type=Path, default=_HERE / "results")
    add_places(parser)
    return parser.parse_args()


def _names(text: str) -> list[str]:
    """The lines of a list, in the table's order."""
    asked = set(text.split(","))
    if unknown := asked - set(_LINES):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(_LINES)}, found {', '.join(sorted(unknown))}")
    return [name for name in _LINES if name in asked]


def _staged(source: Path, asked: argparse.Namespace, target: Path) -> Path:
    """Copies the labels that were asked for into ``target``/Training/LABEL and ``target``/Test/LABEL."""
    labels = sorted({folder.name for split in _SPLITS for folder in (source / split).iterdir() if folder.is_dir()})
    if asked.ten:
        random.Random(_SEED).shuffle(labels)  # noqa: S311 because it only decides between labels of equally many images
        labels = sorted(labels, key=lambda label: -_images(source, label))[:10]
    for label in labels[: asked.labels]:
        for split in _SPLITS:
            if (source / split / label).is_dir():
                shutil.copytree(source / split / label, target / split / label)
    return target


def _images(source: Path, label: str) -> int:
    return sum(1 for split in _SPLITS for _ in (source / split / label).glob("*"))


def _measured(line: str, images: Path, work: Path, cache_dir: Path) -> dict[str, object]:
    """What one line came to: seconds, accuracy by classifier and the most memory in MiB, or why there is none."""
    work.mkdir()
    places = ["--data-source", str(images), "--output-uri", str(work / "output"), "--cache-dir", str(cache_dir)]
    seconds, peak_mb, code = _watched([sys.executable, *_LINES[line][1], *places], work)
    if code:
        print((work / "stderr").read_text(), file=sys.stderr)
        found = {"failed": f"exit {code} after {seconds:.0f} s"}
    else:
        found = _accuracy(work)
        found |= {} if "skipped" in found else {"seconds": round(seconds, 2), "peak_mb": peak_mb}
    shutil.rmtree(work)
    print(f"{line}: {found}", flush=True)
    return found


def _watched(command: list[str], work: Path) -> tuple[float, int, int]:
    """Seconds of the command, the most memory of all its processes together in MiB, and its exit code.

    Memory counts that two samples in a row saw: between fork and exec a child shows its parent's memory as its own.
    """
    peak_mb = last_mb = 0
    with (work / "stdout").open("wb") as out, (work / "stderr").open("wb") as err:
        began_s = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True)
        while True:
            try:
                code = process.wait(_SAMPLED_EVERY_S)
            except subprocess.TimeoutExpired:
                earlier_mb, last_mb = last_mb, machine.tree_rss_mb(process.pid)
                peak_mb = max(peak_mb, min(earlier_mb, last_mb))
                if time.monotonic() - began_s > _LIMIT_S:
                    os.killpg(process.pid, signal.SIGKILL)
            else:
                return time.monotonic() - began_s, peak_mb, code


def _accuracy(work: Path) -> dict[str, object]:
    """Accuracy on the Test side by classifier: from ``run.json`` of ours, from the last line that another printed."""
    run = work / "output" / "run.json"
    if not run.is_file():
        return dict(json.loads((work / "stdout").read_text().splitlines()[-1]))
    classified = json.loads(run.read_text(encoding="utf-8"))["rooms"]["classify"]
    assert classified["judged"] == "test"
    return {"accuracy": {name: score["accuracy"] for name, score in classified["scores"].items()}}


def _table(rounds: list[Row]) -> str:
    lines = [
        "| line | seconds (lowest to highest) | / ours, f32 | / ours, int8 at 192 px | forest % | regression % | MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["line"] for row in rounds):
        mine = [row for row in rounds if row["line"] == name]
        done = [row for row in mine if "seconds" in row]
        label = f"{name}: {_LINES[name][0]}"
        if not done:
            lines.append(f"| {label} | {why(mine[-1])} | | | | | |")
            continue
        cells = [spread([row["seconds"] for row in done])]
        for other in ("ours-f32", "ours-int8-192"):
            found = ratios(rounds, name, other, "seconds")
            cells.append(f"{median(found):.2f}" if found else "")
        for classifier in _CLASSIFIERS:
            scores = [row["accuracy"][classifier] for row in done if classifier in row["accuracy"]]
            cells.append(f"{100 * median(scores):.2f}" if scores else "")
        lines.append(f"| {label} | {' | '.join(cells)} | {max(row['peak_mb'] for row in done)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
