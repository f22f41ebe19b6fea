"""What the figures were measured on: commit, processor, versions; and how much memory the workers took."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("pyspark", "openvino", "tensorflow-cpu", "keras", "ray", "daft", "numpy", "pandas", "pyarrow", "pillow")
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
_ROOT = Path(__file__).resolve().parents[1]


def facts() -> dict[str, object]:
    """Commit, date, machine and versions, for the head of a table."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    flags = set((re.search(r"^flags\s*: (.*)$", info, re.MULTILINE) or ["", ""])[1].split())
    model = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit(),
        "processor": model[1] if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "flags": [flag for flag in _FLAGS if flag in flags],
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in _PACKAGES},
    }


def commit() -> str:
    """The short hash of the checkout's commit, with ``-changed`` where files differ from it."""
    head = _git("rev-parse", "--short=10", "HEAD")
    return head + ("-changed" if _git("status", "--porcelain", "--untracked-files=no") else "")


def worker_peak_mb() -> int | None:
    """The most memory that any Python process below this one has ever held, in MiB; None where /proc is absent.

    Processes that have ended are not seen.
    """
    peaks = [_peak_mb(process) for process in _below(os.getpid())]
    return max((peak for peak in peaks if peak), default=None)


def processor_s(*names: str) -> float:
    """Processor time that the processes of these names below this one have taken so far, in seconds."""
    ticks = 0
    for process in _below(os.getpid()):
        try:
            status = Path(f"/proc/{process}/stat").read_text()
        except OSError:  # because it may just have ended
            continue
        if any(name in status.partition(")")[0] for name in names):
            ticks += sum(int(part) for part in status.rpartition(")")[2].split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _below(root: int) -> set[int]:
    """Ids of all processes started by ``root``, and by those."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:  # because processes end while they are listed
            continue
    found = {root}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def _peak_mb(process: int) -> int | None:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:  # because it may just have ended
        return None
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    python = status.startswith("Name:\tpython")
    return int(peak[1]) // 1024 if peak and python else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True).stdout.strip()
