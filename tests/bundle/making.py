"""Bundles made by the command, as a user makes them."""

import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"


def make_bundle(folder: Path, shared: Path, cache: Path, *words: object, umask: int = 0o022) -> str:
    """Makes a bundle in ``folder``, of the ``shared`` weights if they are there, and gives what the command says."""
    weights = shared / "weights" / WEIGHTS
    command = [BIN / "fruits-pipeline", "bundle", "--bundle-dir", folder, "--cache-dir", cache, *words]
    command += ["--weights", weights] if weights.is_file() else []
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=environment, umask=umask, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
