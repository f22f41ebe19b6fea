"""Commands as a user starts them: in processes of their own."""

import os
import subprocess
import sys
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
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # as in an activated environment
    environment = os.environ | SMALL | {"FRUITS_CACHE_DIR": str(cache_dir), "PATH": path} | variables
    done = subprocess.run(
        [str(program), *(str(word) for word in words)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=400,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
