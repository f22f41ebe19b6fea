"""Writes the SHA-256 of all wheels that bundles take, as the package registry has them now: ``make hashes``."""

import logging
from collections.abc import Iterator

from fruits_pipeline.bundle.environment import chosen_by_pip
from fruits_pipeline.bundle.hashes import Wheel, wheels, write_hashes
from fruits_pipeline.clusters.folder import source_folder
from fruits_pipeline.clusters.releases import releases
from fruits_pipeline.errors import SubmissionError

log = logging.getLogger(__name__)


def remake() -> None:
    """Asks for the wheels of every release and processor, and writes a file for each line of constraints.

    A release of which a wheel is missing is left out, with a warning.
    """
    found: dict[str, list[Wheel]] = {}
    for line, report in _reports():
        found.setdefault(line, []).extend(wheels(report))
    for line, chosen in found.items():
        write_hashes(line, chosen)


def _reports() -> Iterator[tuple[str, str]]:
    """Line and report of every release and processor, with all that an environment may have."""
    for name, release in releases().items():
        for arch in release.arches:
            try:
                yield release.constraints, chosen_by_pip(f"{source_folder()}[s3,gcs,tensorflow]", release, arch)
            except SubmissionError as error:
                log.warning("left out: %s on %s: %s", name, arch, error)


if __name__ == "__main__":
    remake()
