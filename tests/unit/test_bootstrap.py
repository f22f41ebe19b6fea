"""The bootstrap scripts on small archives: what they ask of the clouds' tools, and how they fail."""

import json

import pytest

from fruits_pipeline.clusters.folder import bootstrap_folder, config_folder
from nodes import ADDRESSES, Node, small_archive

SCRIPTS = tuple(ADDRESSES)


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def shared_part(script):
    text = (bootstrap_folder() / script).read_text()
    return text[text.index("# --- the same in") : text.index("# --- end of what is the same")]


def test_the_scripts_differ_only_in_what_is_their_clouds():
    assert shared_part("emr.sh") == shared_part("dataproc.sh")


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_environment_takes_its_place_once_it_was_checked(node, script):
    address = node.serve(small_archive("echo checked $#"), script)
    ended = node.run(script, address)
    assert ended.code == 0, ended.said
    assert "checked 1" in ended.said
    assert (node.place / "environment" / "bin" / "python").is_file()
    assert [path.name for path in node.place.iterdir()] == ["environment"]


def test_aws_is_asked_in_its_own_words(node):
    """https://docs.aws.amazon.com/cli/latest/reference/s3/cp.html: cp <S3Uri> <LocalPath>, options anywhere."""
    address = node.serve(small_archive("exit 0"), "emr.sh")
    node.run("emr.sh", address)
    ((*words, target),) = node.calls("aws")
    assert words == ["s3", "cp", "--only-show-errors", address]
    assert target.startswith(f"{node.place}/new.")


def test_gcloud_is_asked_in_its_own_words(node):
    """https://cloud.google.com/sdk/gcloud/reference/storage/cp: cp SOURCE DESTINATION."""
    address = node.serve(small_archive("exit 0"), "dataproc.sh")
    node.run("dataproc.sh", address)
    ((*words, target),) = node.calls("gcloud")
    assert words == ["storage", "cp", address]
    assert target.startswith(f"{node.place}/new.")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_second_run_replaces_the_environment(node, script):
    for said in ("first", "second"):
        assert node.run(script, node.serve(small_archive(f"echo {said}"), script)).code == 0
    assert "second" in (node.place / "environment" / "bin" / "python").read_text()


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_download_is_tried_again(node, script):
    address = node.serve(small_archive("exit 0"), script)
    node.failures = 2
    ended = node.run(script, address)
    assert ended.code == 0, ended.said
    assert len(node.calls(node.tool(script))) == 3


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_download_that_never_works_ends_with_what_to_do(node, script):
    kept = node.serve(small_archive("echo kept"), script)
    assert node.run(script, kept).code == 0
    ended = node.run(script, ADDRESSES[script])
    assert ended.code == 1
    assert len(node.calls(node.tool(script))) == 1 + 3
    assert "attempt 3 of 3 failed" in ended.said
    assert f"error: expected to read {ADDRESSES[script]}" in ended.said
    assert "role the right to read it" in ended.said
    assert [path.name for path in node.place.iterdir()] == ["environment"]
    assert "kept" in (node.place / "environment" / "bin" / "python").read_text()


@pytest.mark.parametrize("script", SCRIPTS)
def test_another_content_than_the_address_says_is_refused(node, script):
    address = node.serve(small_archive("exit 0"), script, address=ADDRESSES[script])
    ended = node.run(script, address)
    assert ended.code == 1
    assert "error: expected a sha256 of 0123456789abcdef..., found " in ended.said
    assert list(node.place.iterdir()) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_address_without_its_sha256_is_refused(node, script):
    ended = node.run(script, ADDRESSES[script].replace("0123456789abcdef", "latest"))
    assert ended.code == 1
    assert "as 'bundle --upload' prints it" in ended.said
    assert node.calls(node.tool(script)) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_environment_that_does_not_work_here_takes_no_place(node, script):
    address = node.serve(small_archive("echo 'error: expected Python 3.99' >&2; exit 86"), script)
    ended = node.run(script, address)
    assert ended.code == 1
    assert "expected Python 3.99" in ended.said
    assert "error: expected the environment to work on this node" in ended.said
    assert list(node.place.iterdir()) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_hangs_is_ended(node, script):
    address = node.serve(small_archive("sleep 300"), script)
    ended = node.run(script, address, NODE_LIMIT_S="2")
    assert ended.code == 1
    assert "error: expected to be ready within 2 s" in ended.said
    assert list(node.place.iterdir()) == []


@pytest.mark.parametrize("words", [(), ("s3://a", "s3://b")])
def test_emr_takes_one_address(node, words):
    ended = node.run("emr.sh", *words)
    assert ended.code == 1
    assert f"expected one argument, the environment's address, found {len(words)}" in ended.said


def test_dataproc_asks_for_its_metadata(node):
    ended = node.run("dataproc.sh")
    assert ended.code == 1
    assert "metadata 'fruits-environment', found none" in ended.said


@pytest.mark.parametrize("place", ["/opt/conda/miniconda3", "/opt/pixi/.pixi/envs/default"])
def test_the_first_node_of_dataproc_gets_a_kernel(node, place):
    node.with_jupyter(place)
    address = node.serve(small_archive('[ "$1" != -c ] || exec "$NODE_PYTHON" "$@"'), "dataproc.sh")
    node.role = "Master"
    ended = node.run("dataproc.sh", address)
    assert ended.code == 0, ended.said
    kernel = json.loads((node.root / "usr/local/share/jupyter/kernels/fruits-pipeline/kernel.json").read_text())
    python = str(node.place / "environment" / "bin" / "python")
    assert kernel["argv"] == [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    assert kernel["env"] == {
        "NODE_PYTHON": f"{node.root}{place}/bin/python",
        "PYSPARK_PYTHON": python,
        "PYTHONPATH": f"{node.root}/usr/lib/spark/python:{node.root}/usr/lib/spark/python/lib/py4j-0.10.9.7-src.zip",
        "SPARK_HOME": f"{node.root}/usr/lib/spark",
    }


def test_a_first_node_without_jupyter_is_told(node):
    address = node.serve(small_archive('[ "$1" != -c ] || exit 1'), "dataproc.sh")
    node.role = "Master"
    ended = node.run("dataproc.sh", address)
    assert ended.code == 1
    assert "error: expected Jupyter with the bundle's Python" in ended.said
    assert "component JUPYTER" in ended.said


def test_the_cluster_for_notebooks_names_what_the_scripts_make():
    python = "/opt/fruits-pipeline/environment/bin/python"
    emr = (config_folder() / "emr" / "notebook-configurations.json").read_text()
    assert emr.count(f'"{python}"') == 2
    assert 'readonly PLACE="${ROOT}/opt/fruits-pipeline"' in (bootstrap_folder() / "emr.sh").read_text()
    dataproc = json.loads((config_folder() / "dataproc" / "cluster.json").read_text())["config"]
    assert dataproc["gceClusterConfig"]["metadata"] == {"fruits-environment": "${ENVIRONMENT}"}
    assert "metadata fruits-environment" in (bootstrap_folder() / "dataproc.sh").read_text()
