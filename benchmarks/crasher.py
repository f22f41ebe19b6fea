"""What one image costs that crashes its decoder: ``extract`` with it against without, in turns.

No file that crashes today's decoders is known, so the decoder is replaced in the workers by one that aborts at a mark.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from images import add_places, images_folder, staged

_ROUNDS = 3
_MARK = b"ABORT-HERE"
_ABORTING = f"""
import os
import fruits_pipeline.images.decode as module
whole = module.decode
def decode(content, *limits):
    if content.endswith({_MARK!r}):
        os.abort()
    return whole(content, *limits)
module.decode = decode
"""


def main() -> None:
    """Prints the time with the image as a share of the time without."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    add_places(parser)
    asked = parser.parse_args()
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as folder:
        scratch = Path(folder)
        (scratch / "sitecustomize.py").write_text(_ABORTING)
        images = staged(images_folder(asked.images_folder, scratch), asked.images, scratch / "images")
        files = sorted(images.rglob("*.*"))
        victim = files[len(files) // 2]
        sound = victim.read_bytes()
        for _ in range(asked.rounds):
            for which, taken in seconds.items():
                victim.write_bytes(sound + (_MARK if which == "with" else b""))
                taken.append(_extracted(images, scratch, asked.cache_dir, crashed=int(which == "with")))
    share = median(more / less for less, more in zip(*seconds.values(), strict=True))
    figures = [
        {"what": f"{asked.images} images, one of which crashes its decoder, to none", "found": round(share, 3),
         "at_most": 1.10, "seconds": seconds},
    ]  # fmt: skip  # because a row is best read on a line
    print(json.dumps({"figures": figures}))


def _extracted(images: Path, scratch: Path, cache_dir: Path, crashed: int) -> float:
    """Seconds of the command, whose rejects are held against what was to be."""
    output = scratch / "output"
    words = ["extract", "--data-source", str(images), "--output-uri", str(output), "--cache-dir", str(cache_dir)]
    paths = os.pathsep.join(filter(None, [str(scratch), os.environ.get("PYTHONPATH")]))
    began_s = time.monotonic()
    command = [sys.executable, "-m", "fruits_pipeline", *words]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": paths})
    taken_s = time.monotonic() - began_s
    reasons = json.loads((output / "run.json").read_text())["counts"]["reject_reasons"]
    assert reasons.get("crashed", 0) == crashed, reasons
    shutil.rmtree(output)
    return round(taken_s, 2)


if __name__ == "__main__":
    main()
