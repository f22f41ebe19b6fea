"""The wrapper that stands in a bundle as its Python: which interpreter of a node it takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from fruits_pipeline.bundle.environment import write_wrapper

HERE = "{}.{}".format(*sys.version_info)
PYTHON = str(Path(sys.executable).resolve())


def started(folder, **environment):
    """How the wrapper in ``folder`` ends, its version and path told, with nothing but ``environment`` around it."""
    words = [folder / "bin" / "python", "-c", "import sys; print(sys.version_info[:2], *sys.path[1:2])"]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd="/")


def fake(python, said):
    """A Python 3.99 that prints ``said``."""
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\ncase $1 in -S) echo 3.99 ;; *) echo "{said}" ;; esac\n')
    python.chmod(0o755)
    return python


def test_the_wrapper_starts_the_named_python_with_the_packages_first(tmp_path):
    write_wrapper(tmp_path, HERE)
    ended = started(tmp_path, NODE_PYTHON=PYTHON, PYTHONPATH="/elsewhere")
    assert ended.stdout == f"{sys.version_info[:2]} {tmp_path}/site-packages\n"


def test_the_wrapper_finds_python_on_the_path(tmp_path):
    write_wrapper(tmp_path, "3.99")
    python = fake(tmp_path / "nodes" / "python3.99", "$PYTHONPATH")
    ended = started(tmp_path, PATH=f"{python.parent}:/usr/bin:/bin", PYTHONPATH="/elsewhere")
    assert ended.stdout == f"{tmp_path}/site-packages:/elsewhere\n"


PLACES = (
    "opt/conda/default/bin",  # images 2.x of Dataproc
    "opt/dataproc/conda/bin",  # runtimes of Dataproc Serverless
    "opt/pixi/.pixi/envs/default/bin",  # images 3.0, whose environment is Pixi's: its own layout of folders
    "opt/pixi/envs/python/bin",
)


@pytest.mark.parametrize("place", PLACES)
def test_the_wrapper_finds_python_where_images_have_it(tmp_path, place):
    write_wrapper(tmp_path, "3.99")
    fake(tmp_path / "node" / place / "python3.99", f"in {place}")
    assert started(tmp_path, NODE_ROOT=str(tmp_path / "node"), PATH="/usr/bin:/bin").stdout == f"in {place}\n"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("spark-env.sh", "export PYSPARK_PYTHON={}"),
        ("spark-env.sh", ' PYSPARK_PYTHON="{}"  # as installed'),
        ("spark-defaults.conf", "spark.pyspark.python={}"),
        ("spark-defaults.conf", "spark.pyspark.python   {}"),
    ],
)
def test_the_wrapper_takes_the_python_that_spark_is_configured_for(tmp_path, file, line):
    write_wrapper(tmp_path, "3.99")
    python = fake(tmp_path / "elsewhere" / "python", "of Spark")
    settings = tmp_path / "node" / "etc/spark/conf" / file
    settings.parent.mkdir(parents=True)
    settings.write_text(f"# PYSPARK_PYTHON=/not/this\n{line.format(python)}\nspark.eventLog.dir  /x\n")
    assert started(tmp_path, NODE_ROOT=str(tmp_path / "node"), PATH="/usr/bin:/bin").stdout == "of Spark\n"


def test_the_wrapper_does_not_take_itself_where_spark_is_configured_for_it(tmp_path):
    """As on a cluster for notebooks; config/emr/notebook-configurations.json."""
    write_wrapper(tmp_path, "3.99")
    settings = tmp_path / "node" / "etc/spark/conf" / "spark-defaults.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"spark.pyspark.python {tmp_path}/bin/python\n")
    assert started(tmp_path, NODE_ROOT=str(tmp_path / "node"), PATH="/usr/bin:/bin").returncode == 86


def test_the_wrapper_takes_no_other_python_under_the_same_name(tmp_path):
    write_wrapper(tmp_path, "3.99")
    (tmp_path / "nodes").mkdir()
    for name in ("python3.99", "python3"):
        (tmp_path / "nodes" / name).symlink_to(PYTHON)
    ended = started(tmp_path, PATH=str(tmp_path / "nodes"))
    assert ended.returncode == 86
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: expected Python 3.99 on this node, found none on PATH")
    assert "below /opt" in ended.stderr
    assert "NODE_PYTHON" in ended.stderr
    assert "--bundle-python" in ended.stderr


def test_the_wrapper_refuses_a_named_python_of_another_version(tmp_path):
    write_wrapper(tmp_path, "3.99")
    ended = started(tmp_path, NODE_PYTHON=PYTHON)
    assert ended.returncode == 86
    assert f"error: expected Python 3.99 in NODE_PYTHON, found {PYTHON}" in ended.stderr
