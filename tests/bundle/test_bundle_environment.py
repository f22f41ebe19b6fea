"""The environment on a bare node: nothing around it but a Python, or not even that."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from fruits_pipeline.bundle.environment import write_wrapper
from fruits_pipeline.bundle.interpreter import copy_interpreter

PYTHON = str(Path(sys.executable).resolve())
# Where every module of a process came from that has done all that the check does.
_ORIGINS = """
import runpy, sys, json
try:
    runpy.run_path(sys.argv[1], run_name="__main__")
except SystemExit as ended:
    assert not ended.code, ended
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print("ORIGINS", json.dumps([sys.base_prefix, *sorted({file for file in files if file})]))
"""


def run(folder, *words, **environment):
    """The environment's Python, with nothing in its environment but ``environment``."""
    command = [str(folder / "bin" / "python"), *(str(word) for word in words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")


def test_it_works_with_nothing_but_the_nodes_python(environment):
    ended = run(environment, "-c", _ORIGINS, environment / "check_node.py", NODE_PYTHON=PYTHON)
    assert ended.returncode == 0, ended.stderr
    assert "decoded     a JPEG of 192 x 128 to 64 x 64" in ended.stdout
    assert "inference   " in ended.stdout
    prefix, *origins = json.loads(ended.stdout.partition("ORIGINS ")[2])
    known = (str(environment), str(Path(prefix).resolve()), prefix)
    assert [origin for origin in origins if not origin.startswith(known)] == []
    ours = {path.name for path in (environment / "site-packages").iterdir()}
    others = (origin.partition("-packages/")[2].split("/")[0] for origin in origins if str(environment) not in origin)
    assert ours & set(others) == set()


def test_the_check_tells_what_cannot_be_imported(environment, tmp_path):
    (tmp_path / "simplejpeg.py").write_text("raise ImportError('libm.so.7: not there')")
    check = (environment / "check_node.py").read_text()
    (tmp_path / "check_node.py").write_text(check)
    ended = run(environment, tmp_path / "check_node.py", NODE_PYTHON=PYTHON)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: expected to import ")
    assert "found libm.so.7: not there; make the bundle for this node's release" in ended.stderr


def test_the_job_starts(environment):
    ended = run(environment, "-m", "fruits_pipeline", "run", "--help", NODE_PYTHON=PYTHON)
    assert ended.returncode == 0, ended.stderr
    assert "--data-source" in ended.stdout


@pytest.fixture(scope="module")
def bundled(environment, release, tmp_path_factory):
    """The environment with this machine's interpreter, then moved elsewhere."""
    folder = tmp_path_factory.mktemp("bundled")
    here = release.model_copy(update={"glibc": platform.libc_ver()[1]})
    (folder / "made").mkdir()
    copy_interpreter(here, "x86_64", folder / "made")
    write_wrapper(folder / "made", release.python)
    (folder / "made" / "site-packages").symlink_to(environment / "site-packages")
    return (folder / "made").rename(folder / "moved")


def test_a_bundled_interpreter_needs_no_python_of_the_node(bundled, environment):
    ended = run(bundled, environment / "check_node.py", PATH="")
    assert ended.returncode == 0, ended.stderr
    assert f"{bundled}/python/bin/python" in ended.stdout.splitlines()[0]
    assert "inference   " in ended.stdout


def test_a_bundled_interpreter_has_its_standard_library_and_shared_libraries_along(bundled):
    asked = "import bz2, ctypes, decimal, hashlib, lzma, multiprocessing, sqlite3, ssl, sys, zlib;"
    asked += "print(*sorted({line.split()[-1] for line in open('/proc/self/maps') if '.so' in line}), sep='\\n')"
    ended = run(bundled, "-c", asked, PATH="")
    assert ended.returncode == 0, ended.stderr
    foreign = [Path(line).name for line in ended.stdout.splitlines() if not line.startswith(str(bundled))]
    system = (
        "ld-",
        "libc.",
        "libc-",
        "libm.",
        "libm-",
        "libdl",
        "libpthread",
        "librt",
        "libutil",
        "libresolv",
        "libnsl",
    )
    assert [name for name in foreign if not name.startswith(system)] == []


def test_processes_that_a_bundled_interpreter_starts_are_as_it_is(bundled):
    asked = (
        "import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', 'import numpy; print(numpy)']))"
    )
    ended = run(bundled, "-c", asked, PATH="")
    assert ended.returncode == 0, ended.stderr
    assert "moved/site-packages/numpy" in ended.stdout


def test_a_named_python_comes_before_a_bundled_one(bundled):
    ended = run(bundled, "-c", "import sys; print(sys.executable)", NODE_PYTHON=PYTHON)
    assert ended.stdout.strip() == PYTHON
