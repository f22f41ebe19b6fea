"""vCPUs, memory and architecture of a machine type of EC2 or Compute Engine, read from its name."""

import re
from dataclasses import dataclass

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.submit import Arch

# GiB for each vCPU, by family: https://aws.amazon.com/ec2/instance-types/ and
# https://cloud.google.com/compute/docs/machine-resource. Google's highcpu has too little for a worker on each vCPU.
_AWS_GIB = {"c": 2, "m": 4, "r": 8}
_GOOGLE_GIB = {"standard": 4, "highmem": 8}


# They take no Persistent Disk: https://cloud.google.com/dataproc/docs/concepts/compute/dataproc-pd-ssd and each
# series' page at https://cloud.google.com/compute/docs/machine-resource.
_HYPERDISK_ONLY = frozenset({"c4", "c4a", "c4d", "n4", "n4a", "n4d"})


def boot_disk(name: str) -> str:
    """The balanced type of boot disk that the Compute Engine type ``name`` takes.

    >>> boot_disk("n2-standard-8"), boot_disk("c4-highmem-16")
    ('pd-balanced', 'hyperdisk-balanced')
    """
    return "hyperdisk-balanced" if name.partition("-")[0] in _HYPERDISK_ONLY else "pd-balanced"


@dataclass(frozen=True)
class Machine:
    """Size and architecture of one node."""

    name: str
    vcpus: int
    memory_gib: int
    arch: Arch


def machine(name: str) -> Machine:
    """The machine type ``name`` of EC2 or Compute Engine.

    Raises:
        SettingsError: When the name follows neither vendor's rule for compute, general or memory optimized types.

    >>> machine("m6g.2xlarge")
    Machine(name='m6g.2xlarge', vcpus=8, memory_gib=32, arch='arm64')
    >>> machine("n2-standard-16")
    Machine(name='n2-standard-16', vcpus=16, memory_gib=64, arch='x86_64')
    """
    if found := re.fullmatch(r"([cmr])\d+([a-z]*)\.([1-9]\d*)?xlarge", name):
        vcpus = 4 * int(found[3] or 1)
        return Machine(name, vcpus, vcpus * _AWS_GIB[found[1]], "arm64" if "g" in found[2] else "x86_64")
    if found := re.fullmatch(r"(n2|n2d|c3|c4|c4a|e2|t2a)-(standard|highmem)-([1-9]\d*)", name):
        vcpus = int(found[3])
        arch: Arch = "arm64" if found[1] in {"c4a", "t2a"} else "x86_64"
        return Machine(name, vcpus, vcpus * _GOOGLE_GIB[found[2]], arch)
    raise SettingsError(
        f"--machine-type: expected an EC2 type such as m6i.2xlarge (c, m or r, from xlarge on) or a Compute Engine "
        f"type such as n2-standard-8, found {name!r}; or give --executor-cores, --executor-memory and "
        "--executor-memory-overhead with one of these as a stand-in"
    )
