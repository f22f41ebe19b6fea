"""What the figures were measured on: commit, processor, versions; and how much memory the workers took."""

import os
import platform
import re
import subprocess
import threading
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Self

_PACKAGES = (
    "pyspark",
    "openvino",
    "tensorflow-cpu",
    "keras",
    "ray",
    "daft",
    "scikit-learn",
    "numpy",
    "pandas",
    "pyarrow",
    "pillow",
)
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
_ROOT = Path(__file__).resolve().parents[1]
_SAMPLED_EVERY_S = 1.0


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


def tree_rss_mb(root: int) -> int:
    """Memory (VmRSS) of a process and all below it now, in MiB; a page that several share counts for each."""
    return sum(int(_status(process, "VmRSS", r"(\d+) kB") or 0) for process in {root, *_below(root)}) // 1024


class DriverMemory:
    """The memory of this process and of the JVM that it starts, while the block runs."""

    def __init__(self) -> None:
        self._together_mb = 0
        self._peaks_mb: dict[int, tuple[str, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="driver-memory", daemon=True)

    def __enter__(self) -> Self:
        """Starts to look, once a second."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Looks a last time."""
        self._stop.set()
        self._thread.join()
        self._look()

    def peaks_mb(self) -> dict[str, int]:
        """MiB: the system's own peaks (VmHWM) of ``python`` and ``jvm``, their sum, and the most ``seen_together``."""
        python = sum(peak for name, peak in self._peaks_mb.values() if name != "java")
        jvm = sum(peak for name, peak in self._peaks_mb.values() if name == "java")
        return {"python": python, "jvm": jvm, "sum": python + jvm, "seen_together": self._together_mb}

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLED_EVERY_S):
            self._look()

    def _look(self) -> None:
        driver = os.getpid()
        together_mb = 0
        for process in {driver, *_below(driver)}:
            name = _status(process, "Name", r"(.*)")
            if process == driver or name == "java":
                together_mb += int(_status(process, "VmRSS", r"(\d+) kB") or 0) // 1024
                peak_mb = int(_status(process, "VmHWM", r"(\d+) kB") or 0) // 1024
                self._peaks_mb[process] = (name or "", max(peak_mb, self._peaks_mb.get(process, ("", 0))[1]))
        self._together_mb = max(self._together_mb, together_mb)


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
    peak = _status(process, "VmHWM", r"(\d+) kB")
    return int(peak) // 1024 if peak and (_status(process, "Name", r"(.*)") or "").startswith("python") else None


def _status(process: int, field: str, pattern: str) -> str | None:
    """What the system says of a process; None where it has just ended."""
    try:
        found = re.search(rf"^{field}:\s+{pattern}$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    except OSError:
        return None
    return found[1] if found else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True).stdout.strip()
