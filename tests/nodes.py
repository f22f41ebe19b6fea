"""A node of a cluster, as far as the bootstrap scripts see one: a folder, and stand-ins of the clouds' tools."""

import hashlib
import io
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

from fruits_pipeline.clusters.folder import bootstrap_folder

# Where each script's environment lies, when nobody cares for its content.
ADDRESSES = {
    "emr.sh": "s3://bucket/packages/0123456789abcdef/environment.tar.gz",
    "dataproc.sh": "gs://bucket/packages/0123456789abcdef/environment.tar.gz",
}
_TOOLS = {"emr.sh": "aws", "dataproc.sh": "gcloud"}
# Says its words, fails as often as it is told, then copies the file that is served for the last address but one.
_STAND_IN = """#!/bin/bash
printf '%s\\0' "$@" >>'{calls}'; echo >>'{calls}'
read -r left <'{failures}'
if [[ $left -gt 0 ]]; then echo $((left - 1)) >'{failures}'; echo 'refused' >&2; exit 1; fi
from="${{*: -2:1}}"
exec cp "{served}/${{from#*://}}" "${{*: -1}}"
"""


@dataclass(frozen=True)
class Ended:
    """How a script ended."""

    code: int
    said: str
    seconds: float


class Node:
    """A node below the folder ``root``; ``place`` is where the scripts put the environment.

    ``failures`` says how many downloads fail first, ``role`` what Dataproc calls the node.
    """

    def __init__(self, folder: Path) -> None:
        """Makes the node in ``folder``."""
        self.root = folder / "node"
        self.place = self.root / "opt" / "fruits-pipeline"
        self.failures = 0
        self.role = "Worker"
        self._served, self._bin, self._left = folder / "served", folder / "bin", folder / "failures"
        for made in (self.place, self._served, self._bin):
            made.mkdir(parents=True)
        for tool in _TOOLS.values():
            said = _STAND_IN.format(calls=self._calls(tool), failures=self._left, served=self._served)
            _program(self._bin / tool, said)
        _program(self._bin / "sleep", '#!/bin/sh\n[ "$1" -lt 10 ] || exec /bin/sleep "$@"\n')

    def tool(self, script: str) -> str:
        """The tool by which ``script`` downloads."""
        return _TOOLS[script]

    def serve(self, archive: bytes, script: str, address: str = "") -> str:
        """Puts an archive where the script's tool finds it, by default at its own address, which is given back."""
        digits = hashlib.sha256(archive).hexdigest()[:16]
        address = address or ADDRESSES[script].replace("0123456789abcdef", digits)
        file = self._served / address.partition("://")[2]
        file.parent.mkdir(parents=True)
        file.write_bytes(archive)
        return address

    def run(self, script: str, *words: str, **variables: str) -> Ended:
        """Runs a script with nothing else in its environment; Dataproc's has its address in the node's metadata."""
        self._left.write_text(f"{self.failures}\n")
        if script == "dataproc.sh":
            self._metadata(*words)
            words = ()
        environment = {"PATH": f"{self._bin}:/usr/bin:/bin", "NODE_ROOT": str(self.root), **variables}
        started = time.monotonic()
        done = subprocess.run(
            [bootstrap_folder() / script, *words],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd="/",
        )  # fmt: skip  # because the call's arguments are one thought
        return Ended(done.returncode, done.stdout, time.monotonic() - started)

    def calls(self, tool: str) -> list[list[str]]:
        """The words of each call of a tool."""
        file = self._calls(tool)
        return [line.rstrip("\0").split("\0") for line in file.read_text().splitlines()] if file.exists() else []

    def with_jupyter(self, conda: str, python: str = "#!/bin/sh\nexit 0\n") -> None:
        """Gives the node a Python with Jupyter in the folder ``conda``, and Spark's libraries."""
        _program(self.root / conda.lstrip("/") / "bin" / "python", python)
        library = self.root / "usr/lib/spark/python/lib"
        library.mkdir(parents=True)
        (library / "py4j-0.10.9.7-src.zip").touch()

    def _calls(self, tool: str) -> Path:
        return self._bin.parent / f"{tool}.calls"

    def _metadata(self, *address: str) -> None:
        """What https://cloud.google.com/dataproc/docs/concepts/configuring-clusters/metadata says of attributes."""
        known = {"dataproc-role": self.role, **({"fruits-environment": address[0]} if address else {})}
        cases = "".join(f"attributes/{name}) echo '{value}' ;;\n" for name, value in known.items())
        _program(
            self.root / "usr/share/google/get_metadata_value", f"#!/bin/sh\ncase $1 in\n{cases}*) exit 1 ;;\nesac\n"
        )


def small_archive(python: str) -> bytes:
    """An environment whose ``bin/python`` is a shell script."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in (("bin/python", f"#!/bin/sh\n{python}\n"), ("check_node.py", "")):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content.encode()))
    return packed.getvalue()


def _program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
