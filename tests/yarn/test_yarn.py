"""The packaged job on a real YARN, in cluster mode, between buckets: equal to a laptop's, whatever dies on the way."""

import os
import subprocess
from pathlib import Path

import pytest
from submission import BIN, BUCKET, SMALL, Cluster

from fruits_pipeline.demo.draw import draw_sample
from outputs import assert_equal_results, record

# What fits two nodes of 4 GiB beside a driver.
SIZES = {
    "executors": 2, "executor_cores": 2, "executor_memory": "900m", "executor_memory_overhead": "1300m",
    "driver_memory": "1g",
}  # fmt: skip  # because it is one line of flags
TEN = ("Apple Braeburn 1", "Avocado 1", "Banana 1", "Cherry 1", "Grape Blue 1")
SOURCE = f"{BUCKET}/photos"


@pytest.fixture(scope="session")
def images(fruits360_or_drawn) -> Path:
    return fruits360_or_drawn


@pytest.fixture(scope="session")
def fruits360_or_drawn(shared_folder, tmp_path_factory) -> Path:
    """Ten real classes where they are, else the drawn sample."""
    real = shared_folder / "data" / "fruits-360"
    folder = tmp_path_factory.mktemp("images") / "images"
    if not real.is_dir():
        draw_sample(folder, images_per_label=16)
        return folder
    for split in ("Training", "Test"):
        for label in sorted(path.name for path in (real / split).iterdir())[:10]:
            (folder / split / label).mkdir(parents=True)
            for file in sorted((real / split / label).iterdir())[: _EACH[split]]:
                (folder / split / label / file.name).write_bytes(file.read_bytes())
    return folder


_EACH = {"Training": 40, "Test": 12}


@pytest.fixture(scope="session")
def laptop(images, cluster, tmp_path_factory) -> Path:
    """The output of the same job on this machine."""
    output = tmp_path_factory.mktemp("laptop") / "output"
    words = [
        "run",
        "--data-source",
        images,
        "--output-uri",
        output,
        *SMALL,
        "--cache-dir",
        cluster.package.parent / "cache",
    ]
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    command = [str(word) for word in (BIN / "fruits-pipeline", *words)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="session")
def source(cluster: Cluster, images) -> str:
    files = (file for file in images.rglob("*.jpg"))
    cluster.server.fill_s3("fruits", {f"photos/{file.relative_to(images)}": file.read_bytes() for file in files})
    return SOURCE


def test_the_step_gives_what_a_laptop_gives(cluster, source, images, laptop, tmp_path):
    ended = cluster.submit(cluster.step(source, f"{BUCKET}/equal", **SIZES))
    assert ended.code == 0, ended.said[-3000:]
    output = cluster.download(f"{BUCKET}/equal", tmp_path)
    assert_equal_results(laptop, output, images, source)
    assert record(output)["exit_code"] == 0
