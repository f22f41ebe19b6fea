"""The main file of a batch under ``spark-submit``, which has the archives at addresses and nothing unpacked."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pyspark
import pytest
from running import BIN

from fruits_pipeline.bundle.archive import archive_folder
from fruits_pipeline.bundle.environment import write_wrapper
from fruits_pipeline.clusters.folder import jobs_folder

# In place of our package: says where it is, and what a session that uses workers computes.
PACKAGE = """import json, os, sys
from pyspark import SparkContext
context = SparkContext.getOrCreate()
found = context.parallelize(range(4), 2).map(lambda number: number * 2).sum()
print("found", json.dumps({"words": sys.argv[1:], "python": os.environ["PYSPARK_PYTHON"], "sum": found,
    "models": os.listdir("models"), "home": os.environ.get("PYTHONHOME"), "folder": os.getcwd()}))
"""


@pytest.fixture
def archives(tmp_path):
    """Addresses of an environment and of models, by content as ``bundle --upload`` puts them."""
    made = tmp_path / "made"
    write_wrapper(made / "environment", "{}.{}".format(*sys.version_info))
    package = made / "environment" / "site-packages" / "fruits_pipeline"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(PACKAGE)
    (made / "models").mkdir()
    (made / "models" / "model.bin").write_text("weights")
    return [address(tmp_path, made / name) for name in ("environment", "models")]


def address(tmp_path, folder):
    archive = tmp_path / f"{folder.name}.tar.gz"
    archive_folder(folder, archive)
    digits = hashlib.sha256(archive.read_bytes()).hexdigest()[:16]
    placed = tmp_path / "bucket" / digits / archive.name
    placed.parent.mkdir(parents=True)
    shutil.move(archive, placed)
    return f"file://{placed}#{folder.name}"


def spark_home(folder):
    """PySpark's own folder by links, because workers keep their files below it."""
    folder.mkdir()
    for part in Path(pyspark.__file__).parent.iterdir():
        (folder / part.name).symlink_to(part)
    return folder


def submitted(folder, *words):
    """How ``spark-submit batch.py WORDS`` ends; Spark unpacks archives for executors alone, as in a batch."""
    folder.mkdir(exist_ok=True)
    line = [BIN / "spark-submit", "--master", "local-cluster[1,2,1024]"]
    line += ["--conf", "spark.ui.enabled=false", "--conf", "spark.log.level=ERROR"]
    line += ["--conf", f"spark.archives={','.join(word for word in words if '#' in word)}"]
    known = {name: os.environ[name] for name in ("HOME", "JAVA_HOME", "LANG") if name in os.environ}
    known |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(folder.parent)}
    known["SPARK_HOME"] = str(spark_home(folder.parent / "spark"))
    return subprocess.run(
        [*map(str, line), str(jobs_folder() / "batch.py"), *words],
        cwd=folder, env=known, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip  # because the words of the line read best on one line


def told(ended):
    assert ended.returncode == 0, ended.stderr
    return json.loads(next(line for line in ended.stdout.splitlines() if line.startswith("found"))[6:])


def test_a_batch_fetches_what_was_not_unpacked_for_its_driver(tmp_path, archives):
    found = told(submitted(tmp_path / "work", "run", *archives, "--data-source", "gs://data/a b", "--overwrite"))
    assert Path(found.pop("folder")).name.startswith("fruits-")
    assert found == {
        "words": ["run", "--data-source", "gs://data/a b", "--overwrite"],
        "python": "./environment/bin/python",
        "sum": 12,
        "models": ["model.bin"],
        "home": None,
    }
    assert list((tmp_path / "work").iterdir()) == []


def test_a_batch_takes_what_was_unpacked_already(tmp_path, archives):
    for place in archives:
        path, _, name = place.removeprefix("file://").partition("#")
        with tarfile.open(path) as tar:
            tar.extractall(tmp_path / "work" / name, filter="data")
    found = told(submitted(tmp_path / "work", "score", *archives))
    assert (found["words"], found["folder"]) == (["score"], str(tmp_path / "work"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [("gone", "expected to read file:"), ("other", "expected a sha256 of")],
)
def test_an_archive_that_cannot_be_had_is_told(tmp_path, archives, change, expected):
    file = Path(archives[1].removeprefix("file://").partition("#")[0])
    if change == "gone":
        file.unlink()
    else:
        file.write_bytes(Path(archives[0].removeprefix("file://").partition("#")[0]).read_bytes())
    ended = submitted(tmp_path / "work", "run", *archives)
    assert ended.returncode == 7
    assert f"error: {expected}" in ended.stderr + ended.stdout
