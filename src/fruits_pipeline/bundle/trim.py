"""Removes the files of installed packages that no cluster needs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

# Glob below site-packages, and why it may go.
_NEEDLESS = (
    ("bin", "scripts name the Python of the machine that made the bundle"),
    ("*/direct_url.json", "names a folder of that machine"),
    ("*/RECORD", "lists what has been taken out"),
    ("**/__pycache__", "made by another Python"),
    ("**/*.pyi", "types, for editors"),
    ("**/*.h", "headers, for compilers"),
    ("**/*.pyx", "sources, for compilers"),
    ("**/*.pxd", "sources, for compilers"),
    ("pandas/tests", "tests"),
    ("numpy/**/tests", "tests"),
    ("pyarrow/tests", "tests"),
    ("pyarrow/include", "headers"),
    ("pyarrow/src", "sources"),
    ("numpy/f2py", "Fortran's bridge"),
    ("cv2/data", "cascades of face detection"),
    ("openvino/include", "headers"),
    ("openvino/cmake", "for compilers"),
    ("openvino/tools", "conversion, done before the bundle is made"),
    ("openvino/torch", "conversion"),
    ("openvino/frontend/*/*", "frontends but for OpenVINO's own format"),
    ("openvino/libs/libopenvino_*_frontend.so*", "frontends but for OpenVINO's own format"),
    ("openvino/libs/libopenvino_intel_[gn]pu_*", "plugins of other devices"),
    ("openvino/libs/libopenvino_auto*", "plugins that choose among devices"),
    ("openvino/libs/libopenvino_hetero*", "plugins that choose among devices"),
    ("openvino/libs/*npu*", "another device's compiler"),
    ("openvino/libs/cache.json", "another device's kernels"),
    ("botocore/data/*", "services that the job does not call"),
)
_NEEDED = (
    "openvino/libs/libopenvino_ir_frontend.so*",
    "botocore/data/s3",
    "botocore/data/sts",
    "botocore/data/sso",
    "botocore/data/sso-oidc",
    "botocore/data/*.json",
)


def trim(site: Path) -> None:
    """Removes the files that no cluster needs from the ``site-packages`` folder ``site``."""
    needed = set(_found(site, _NEEDED))
    for path in set(_found(site, [pattern for pattern, _ in _NEEDLESS])) - needed:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _found(site: Path, patterns: list[str] | tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from site.glob(pattern)
