"""All lines, interleaved round by round, each in a process of its own; then the scripts of one figure each.

    make bench
    .venv/bin/python benchmarks/run.py --rounds 1 --only a,f-f32,g-f32 --images 256

Writes a table of medians and ratios, and every single figure, to benchmarks/results/DATE-COMMIT.md and .json.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import machine
from catalog import LINES, SCRIPTS
from fruits_pipeline.backbones.model import ModelRequest
from images import add_places
from prepare import prepare_models
from report import report

_HERE = Path(__file__).resolve().parent
_LIMIT_S = 900

Result = dict[str, object]


def main() -> None:
    """Runs what is asked for, and writes the results."""
    asked = _arguments()
    facts = machine.facts()
    places = ["--cache-dir", str(asked.cache_dir)]
    requests = {LINES[name].request for name in asked.only if name in LINES} | {ModelRequest()}
    prepare_models(requests, asked.images_folder, places)
    if asked.images_folder:
        places += ["--images-folder", str(asked.images_folder)]
    images = ["--images", str(asked.images)] if asked.images else []
    rounds = [
        _run(f"round {number}", line, [str(_HERE / "measure.py"), line, *images, *places]) | {"round": number}
        for number in range(1, asked.rounds + 1)
        for line in LINES
        if line in asked.only
    ]
    figures = [
        figure
        for name in SCRIPTS
        if name in asked.only
        for figure in _figures(_run("", name, [_script(name), *places]))
    ]
    asked.results.mkdir(parents=True, exist_ok=True)
    stem = asked.results / f"{str(facts['date'])[:10]}-{facts['commit']}"
    stem.with_suffix(".json").write_text(
        json.dumps({"machine": facts, "rounds": rounds, "figures": figures}, indent=1) + "\n", encoding="utf-8"
    )
    text = report(facts, rounds, figures)
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"{text}\nWritten to {stem.with_suffix('.md')}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, help="images of every long pass; by default each line's own")
    parser.add_argument(
        "--only", type=_names, default=_names(",".join((*LINES, *SCRIPTS))), help=f"of {' '.join((*LINES, *SCRIPTS))}"
    )
    parser.add_argument("--results", type=Path, default=_HERE / "results")
    add_places(parser)
    return parser.parse_args()


def _names(text: str) -> list[str]:
    """The lines and scripts of a list; a prefix such as ``f`` stands for all lines that begin so."""
    known = (*LINES, *SCRIPTS)
    found = []
    for word in text.split(","):
        meant = [word] if word in known else [name for name in known if name.startswith(f"{word}-")]
        if not meant:
            raise argparse.ArgumentTypeError(f"expected some of {', '.join(known)}, found {word!r}")
        found += meant
    return found


def _script(name: str) -> str:
    return str(_HERE / f"{name}.py")


def _run(when: str, name: str, command: list[str]) -> Result:
    """The JSON object on a script's last line, or why there is none."""
    began_s = time.monotonic()
    try:
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=_LIMIT_S, check=False)
        result = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else _failed(done)
    except subprocess.TimeoutExpired:
        result = {"failed": f"not done after {_LIMIT_S} s"}
    told = result.get("images_per_s") or result.get("skipped") or result.get("failed") or "done"
    print(f"{when} {name}: {told} ({time.monotonic() - began_s:.0f} s)".strip(), flush=True)
    return {"line": name} | result


def _failed(done: subprocess.CompletedProcess[str]) -> Result:
    last = next(iter(reversed(done.stderr.strip().splitlines())), "")
    print(done.stderr, file=sys.stderr)
    return {"failed": f"exit {done.returncode}: {last}"}


def _figures(result: Result) -> list[Result]:
    """What a script found, or one row that says why it found nothing."""
    found = result.get("figures")
    return found if isinstance(found, list) else [{"what": result["line"], **result}]


if __name__ == "__main__":
    main()
