"""What a kill costs: a ``run`` killed at half of its time and started again, against an undisturbed one, in turns."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from images import add_places, images_folder, staged

_ROUNDS = 2
_STARTED = "session: session spark="
_SETTLE_S = 2.0


def main() -> None:
    """Prints the time of both starts together, without one start of the session, as a share of an undisturbed run's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=12_288)
    parser.add_argument("--wave-images", type=int, help="by default that of the command")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    add_places(parser)
    asked = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as folder:
        scratch = Path(folder)
        images = staged(images_folder(asked.images_folder, scratch), asked.images, scratch / "images")
        words = ["run", "--data-source", str(images), "--output-uri", str(scratch / "output")]
        words += ["--cache-dir", str(asked.cache_dir)]
        words += ["--wave-images", str(asked.wave_images)] if asked.wave_images else []
        for _ in range(asked.rounds):
            whole_s, start_s = _timed(words, scratch, None)
            shutil.rmtree(scratch / "output")
            first_s, _ = _timed(words, scratch, whole_s / 2)
            second_s, _ = _timed(words, scratch, None)
            shutil.rmtree(scratch / "output")
            share = (first_s + second_s - start_s) / whole_s
            rounds.append([round(value, 2) for value in (whole_s, start_s, first_s, second_s, share)])
    figures = [
        {"what": f"killed at half, {asked.images} images: both starts without one session's, to an undisturbed run",
         "found": median(row[-1] for row in rounds), "at_most": 1.10,
         "seconds_whole_start_first_second_share": rounds},
    ]  # fmt: skip  # because a row is best read on a line
    print(json.dumps({"figures": figures}))


def _timed(words: list[str], scratch: Path, kill_after_s: float | None) -> tuple[float, float]:
    """Seconds of a command and of the start of its session; it is killed with its JVM after ``kill_after_s``."""
    log = scratch / "log"
    began_s = time.monotonic()
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "fruits_pipeline", *words],
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    start_s = _start_s(log, process, began_s)
    if kill_after_s is not None:
        time.sleep(max(0.0, began_s + kill_after_s - time.monotonic()))
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    taken_s = time.monotonic() - began_s
    assert code == (0 if kill_after_s is None else -signal.SIGKILL), log.read_text()
    if kill_after_s is not None:
        time.sleep(_SETTLE_S)  # in which workers, of a group of their own, see that their JVM has gone
    return taken_s, start_s


def _start_s(log: Path, process: "subprocess.Popen[bytes]", began_s: float) -> float:
    while _STARTED not in log.read_text() and process.poll() is None:
        time.sleep(0.05)
    return time.monotonic() - began_s


if __name__ == "__main__":
    main()
