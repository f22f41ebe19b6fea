"""Commands as a user starts them: in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from outputs import Ended

BIN = Path(sys.executable).parent
# Small fits, and a JVM that compiles no more than a short life is worth.
SMALL = {
    "FRUITS_FOREST_TREES": "8",
    "FRUITS_FOREST_DEPTH": "5",
    "FRUITS_REGRESSION_ITERATIONS": "20",
    "SPARK_SUBMIT_OPTS": "-XX:TieredStopAtLevel=1",
}


def run_command(cache_dir: Path, *words: object, program: Path = BIN / "fruits-pipeline", **variables: str) -> Ended:
    """Runs ``program`` with ``words``; ``variables`` come into its environment."""
    done = subprocess.run(
        [str(program), *(str(word) for word in words)],
        capture_output=True,
        text=True,
        env=_environment(cache_dir, variables),
        timeout=400,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def kill_command(cache_dir: Path, *words: object, once: Callable[[], bool], **variables: str) -> None:
    """Starts ``fruits-pipeline`` with ``words``, and kills all of its processes as soon as ``once`` says so."""
    process = subprocess.Popen(
        [str(BIN / "fruits-pipeline"), *map(str, words)],
        env=_environment(cache_dir, variables),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 200
    while not once() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert process.poll() is None, "the command ended before it was to be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment(cache_dir: Path, variables: Mapping[str, str]) -> dict[str, str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # as in an activated environment
    return os.environ | SMALL | {"FRUITS_CACHE_DIR": str(cache_dir), "PATH": path} | variables
