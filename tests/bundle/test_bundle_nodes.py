"""The bootstrap scripts with the real environment, on a node of which only the clouds' tools are stand-ins."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodes import ADDRESSES, Node

PYTHON = str(Path(sys.executable).resolve())


@pytest.mark.parametrize("script", ADDRESSES)
def test_the_environment_is_put_on_a_node_and_proven_there(bundle, tmp_path, script):
    node = Node(tmp_path)
    address = node.serve((bundle / "environment.tar.gz").read_bytes(), script)
    ended = node.run(script, address, NODE_PYTHON=PYTHON)
    assert ended.code == 0, ended.said
    for fact in ("python      ", "package     openvino ", "decoded     a JPEG", "inference   ", "ready: "):
        assert fact in ended.said
    assert ended.seconds < 60, ended.said  # because the script itself has no more


def test_the_kernel_starts_where_jupyter_and_spark_are(bundle, tmp_path):
    """With a stand-in of Jupyter's Python that has a package ``ipykernel_launcher`` of its own."""
    node = Node(tmp_path)
    kernel_packages = tmp_path / "conda-packages"
    kernel_packages.mkdir()
    (kernel_packages / "ipykernel.py").touch()
    (kernel_packages / "ipykernel_launcher.py").write_text(
        "import os, sys, fruits_pipeline, numpy; print(sys.argv[1:], numpy.__file__, os.environ['PYSPARK_PYTHON'])"
    )
    node.with_jupyter(
        "/opt/conda/default", f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{kernel_packages}" exec {PYTHON} "$@"\n'
    )
    address = node.serve((bundle / "environment.tar.gz").read_bytes(), "dataproc.sh")
    node.role = "Master"
    ended = node.run("dataproc.sh", address, NODE_PYTHON=PYTHON)
    assert ended.code == 0, ended.said
    kernel = json.loads((node.root / "usr/local/share/jupyter/kernels/fruits-pipeline/kernel.json").read_text())
    words = [word.replace("{connection_file}", "connection.json") for word in kernel["argv"]]
    said = subprocess.check_output(words, env=kernel["env"], text=True, cwd="/")
    environment = node.place / "environment"
    assert said.split() == [
        "['-f',", "'connection.json']", str(environment / "site-packages/numpy/__init__.py"),
        str(environment / "bin/python"),
    ]  # fmt: skip  # because they are one line's words
    assert os.access(kernel["env"]["PYSPARK_PYTHON"], os.X_OK)
