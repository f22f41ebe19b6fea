"""One of our own modules, run as a command in a process of its own."""

import os
import subprocess
import sys

from fruits_pipeline.errors import ModelError


def run_module(module: str, arguments: list[str], what: str) -> None:
    """Run ``python -m module arguments``, and pass on nothing of what it says while all goes well.

    TensorFlow beside PyArrow was seen to end a process in a segmentation fault, and both it and NNCF write
    what no user asked for. The module exits with ``ModelError.exit_code`` after a ``ModelError``, whose message
    is then the last line that it wrote.

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
        "start the same command again, and if it fails again, install fruits-pipeline[tensorflow,calibrate] anew"
    )


def report_error(error: ModelError) -> int:
    """What a module run apart does with a ``ModelError``: its message as the last line; gives the exit code."""
    sys.stderr.write(f"\n{' '.join(str(error).split())}\n")
    return error.exit_code
