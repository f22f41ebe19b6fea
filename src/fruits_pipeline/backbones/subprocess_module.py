"""Runs a module of this project as a command in a subprocess."""

import os
import subprocess
import sys

from fruits_pipeline.errors import ModelError


def run_module(module: str, arguments: list[str], what: str) -> None:
    """Run ``python -m module arguments``; its output is discarded unless it fails.

    TensorFlow beside PyArrow was seen to end a process in a segmentation fault, and TensorFlow and NNCF write
    lines that users should not see. After a ``ModelError`` the module exits with ``ModelError.exit_code``, and the
    message is the last line that it wrote.

    Args:
        module: the module's full name.
        arguments: what its ``main`` takes.
        what: what it does, for the message.

    Raises:
        ModelError: when it fails, with the last line that it wrote.
    """
    # Packages that Spark brought are on this process' path only, so the child is given that path.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=environment,
    )
    if done.returncode == 0:
        return
    last = next(iter(reversed((done.stderr.strip() or done.stdout.strip()).splitlines())), "no word")
    if done.returncode == ModelError.exit_code:
        raise ModelError(last)
    raise ModelError(
        f"{what}: expected the process {module} to succeed, found exit code {done.returncode} and {last!r}; "
        "start the same command again, and if it fails again, install fruits-pipeline[tensorflow,calibrate,export] anew"
    )


def report_error(error: ModelError) -> int:
    """Write the error's message as the last line of stderr, where ``run_module`` reads it; return the exit code."""
    sys.stderr.write(f"\n{' '.join(str(error).split())}\n")
    return error.exit_code
