"""Decodes mutated files of the corpus in a child process of limited memory, and says what goes wrong."""

import argparse
import contextlib
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from corpus.images import images
from corpus.limited import limited
from corpus.mutate import mutated
from corpus.others import phones
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.images.reason import Reason

# Half of the smaller sides of the corpus at most, so that JPEGs are decoded at reduced scale.
SIDE = 16
MAX_PIXELS = 2_000_000
_DEADLINE_S = 60.0
# Larger ones take long, and differ from the others by their size alone.
_LARGEST_BYTES = 60_000
_STEP = 5000


def corpus() -> list[bytes]:
    """The files that are mutated, those of HEIC where pillow-heif is installed."""
    made = images()
    with contextlib.suppress(ImportError):
        made |= phones()
    return [content for content in made.values() if 0 < len(content) <= _LARGEST_BYTES]


def fuzzed(decoder: IsolatedDecoder, content: bytes) -> tuple[str, bool]:
    """What came out, and whether it may."""
    try:
        found = decoder.decode(content, SIDE, MAX_PIXELS)
    except Exception as bug:  # noqa: BLE001 because any exception is a finding here
        return f"{type(bug).__name__}: {bug}", False
    if isinstance(found, Rejected):
        is_allowed = found.reason not in {Reason.CRASHED, Reason.KILLED, Reason.TIMEOUT}
        return found.reason.value if is_allowed else f"{found.reason}: {found.detail}", is_allowed
    return "read", True


def main() -> int:
    """The exit code: 0 where only pixels and reasons came out, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decodes", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation, to go on or to repeat one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--failures", type=Path, default=Path("build/fuzz"), help="folder for files that failed")
    asked = parser.parse_args()
    contents, outcomes, failed = corpus(), Counter(), 0
    start_s = time.monotonic()
    with IsolatedDecoder(_DEADLINE_S, limited) as decoder:
        for number in range(asked.first, asked.first + asked.decodes):
            content = mutated(contents, asked.seed, number)
            outcome, is_allowed = fuzzed(decoder, content)
            outcomes[outcome] += is_allowed
            if not is_allowed:
                failed += 1
                asked.failures.mkdir(parents=True, exist_ok=True)
                (asked.failures / f"{asked.seed}-{number}.bin").write_bytes(content)
                print(f"seed {asked.seed}, number {number}: {outcome}", flush=True)
            if (number + 1) % _STEP == 0:
                print(f"{number + 1} in {time.monotonic() - start_s:.0f} s, {failed} failed", flush=True)
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    told = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common())
    print(f"{asked.decodes} decodes of {len(contents)} kinds, {failed} failed; {told}; at most {peak_mb} MB")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
