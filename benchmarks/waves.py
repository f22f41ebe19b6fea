"""What waves cost: ``extract`` in four waves against one, the same images, in one session, in turns."""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from fruits_pipeline.backbones.model import ModelRequest
from images import add_places, images_folder, shared_with_workers, staged
from lines.f_ours import started

_ROUNDS = 3
_WAVES = 4


def main() -> None:
    """Prints the share of the time that three more waves cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=12_288)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    add_places(parser)
    asked = parser.parse_args()
    shared_with_workers()
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as folder:
        scratch = Path(folder)
        images = staged(images_folder(asked.images_folder, scratch), asked.images, scratch / "images")
        seconds: dict[int, list[float]] = {1: [], _WAVES: []}
        with started(replace(ModelRequest(), cache_dir=asked.cache_dir)) as extract:
            extract(images, scratch / "warm", asked.images)
            for number in range(asked.rounds):
                for waves, taken in seconds.items():
                    began_s = time.monotonic()
                    extract(images, scratch / f"out-{number}-{waves}", -(-asked.images // waves))
                    taken.append(round(time.monotonic() - began_s, 2))
    pairs = list(zip(*seconds.values(), strict=True))
    share = median(many / one - 1 for one, many in pairs)
    further_s = median(many - one for one, many in pairs) / (_WAVES - 1)
    figures = [
        {"what": f"{_WAVES} waves against one, {asked.images} images: time added", "found": round(share, 4),
         "at_most": 0.03, "seconds": seconds},
        {"what": "a further wave costs", "found": round(further_s, 2), "unit": "s"},
    ]  # fmt: skip  # because a row is best read on a line
    print(json.dumps({"figures": figures}))


if __name__ == "__main__":
    main()
