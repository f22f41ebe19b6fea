"""SHA-256 of the wheels that a cluster's environment is made of.

``config/constraints/LINE.sha256`` has those that were seen when its versions were pinned; ``make hashes`` writes it
anew. A registry that answers with another file of the same version is refused.
"""

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.errors import SubmissionError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wheel:
    """One wheel that pip has chosen: what it is of, where it is, and its SHA-256 by the registry."""

    name: str
    url: str
    sha256: str

    @property
    def is_ours(self) -> bool:
        """Whether it was built from this checkout a moment ago, so that nobody can know it."""
        return self.name.startswith("fruits-pipeline==") and self.url.startswith("file:")


def wheels(report: str) -> list[Wheel]:
    """The wheels of an installation report of pip, own ones included; a folder of sources is none.

    https://pip.pypa.io/en/stable/reference/installation-report/
    """
    return [_wheel(item) for item in json.loads(report)["install"] if "archive_info" in item["download_info"]]


def requirements(chosen: Iterable[Wheel], line: str) -> str:
    """The wheels as requirements with hashes, for ``pip install --require-hashes``.

    Args:
        chosen: The wheels.
        line: The line of constraints, such as ``a``.

    Raises:
        SubmissionError: When a wheel has another hash than those that are known of its version.
    """
    known = known_hashes(line)
    return "\n".join(_requirement(wheel, known) for wheel in chosen) + "\n"


def known_hashes(line: str) -> dict[str, frozenset[str]]:
    """The known SHA-256 of each pinned version, such as ``boto3==1.44.5``; of other versions nothing is known."""
    lines = _file(line).read_text(encoding="utf-8").splitlines()
    parts = (text.split() for text in lines if text and not text.startswith("#"))
    return {name: frozenset(hashes) for name, *hashes in parts}


def write_hashes(line: str, chosen: Iterable[Wheel]) -> None:
    """Writes the known SHA-256 of a line, of all its releases and processors."""
    found: dict[str, set[str]] = {}
    for wheel in chosen:
        if not wheel.is_ours:
            found.setdefault(wheel.name, set()).add(wheel.sha256)
    head = f"# SHA-256 of the wheels that bundles of line {line} take. Remade by: make hashes\n"
    _file(line).write_text(
        head + "".join(f"{name} {' '.join(sorted(hashes))}\n" for name, hashes in sorted(found.items())),
        encoding="utf-8",
    )


def _requirement(wheel: Wheel, known: dict[str, frozenset[str]]) -> str:
    if wheel.is_ours:
        return f"{wheel.url} --hash=sha256:{wheel.sha256}"
    if wheel.name not in known:
        log.warning("%s: no SHA-256 of it is known; the registry's own is taken, %s", wheel.name, wheel.sha256)
    elif wheel.sha256 not in known[wheel.name]:
        raise SubmissionError(
            f"bundle: expected a wheel of {wheel.name} with SHA-256 {' or '.join(sorted(known[wheel.name]))}, found "
            f"{wheel.sha256} in the package registry; it is another file than the one that was tested: ask who runs it"
        )
    return f"{wheel.name} --hash=sha256:{wheel.sha256}"


def _wheel(item: dict[str, Any]) -> Wheel:
    name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
    place, named = item["download_info"], f"{name}=={item['metadata']['version']}"
    if (sha256 := place["archive_info"].get("hashes", {}).get("sha256")) is None:
        raise SubmissionError(f"bundle: expected a SHA-256 of {named}, found none in the package registry; use another")
    return Wheel(named, place["url"], sha256)


def _file(line: str) -> Path:
    return config_folder() / "constraints" / f"{line}.sha256"
