"""What Dataproc is asked for, by message and by command line."""

import json
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest

from clouds.dataproc import DataprocCloud
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.dataproc import DataprocSettings
from fruits_pipeline.settings.dataproc_serverless import DataprocServerlessSettings
from fruits_pipeline.submit.dataproc import Dataproc
from fruits_pipeline.submit.dataproc_serverless import DataprocServerless
from fruits_pipeline.submit.google import labels, message

PYTHON = "./environment/bin/python"
OWN = {
    "service_account": "job@project.iam.gserviceaccount.com",
    "subnetwork": "fruits",
    "staging_bucket": "staging",
    "kms_key": "projects/project/locations/europe-west1/keyRings/ring/cryptoKeys/key",
}


@pytest.fixture(scope="module")
def job():
    return DataprocCloud(SimpleNamespace(clusters=set()), "workflow")._job


def changed(job, **facts):
    kept = {name: value for name, value in vars(job).items() if name != "job_id"}
    return type(job)(**kept | facts)


def config(platform):
    return platform.requests()[1].body["template"]["placement"]["managedCluster"]["config"]


@pytest.mark.parametrize("own", [{}, OWN], ids=["nothing named", "all named"])
def test_each_request_is_a_message_of_google(job, own):
    platforms = [
        Dataproc(job, DataprocSettings(jupyter=True, **own)),
        Dataproc(job, DataprocSettings(cluster="standing", **own)),
        DataprocServerless(job, DataprocServerlessSettings(**own)),
    ]
    for request in (request for platform in platforms for request in platform.requests()):
        assert message(f"{request.operation.removeprefix('dataproc.')}Request", request.body)
        assert ("${PROJECT}" in json.dumps(request.body)) is True
        assert "${" not in json.dumps(request.body).replace("${PROJECT}", "")


def test_the_driver_runs_in_the_cluster_with_the_python_of_the_bundle(job):
    spark = Dataproc(job, DataprocSettings(cluster="standing")).requests()[0].body["job"]["pysparkJob"]
    assert spark["archiveUris"] == list(job.archives)
    assert spark["args"] == list(job.arguments)
    assert spark["properties"]["spark.submit.deployMode"] == "cluster"
    assert spark["properties"]["spark.yarn.appMasterEnv.PYSPARK_PYTHON"] == PYTHON
    assert spark["properties"]["spark.executorEnv.PYSPARK_PYTHON"] == PYTHON
    assert Dataproc(job, DataprocSettings()).requests()[1].body["template"]["jobs"][0]["pysparkJob"] == spark


def test_a_batch_has_its_own_names_for_the_same_and_no_yarn(job):
    batch = DataprocServerless(job, DataprocServerlessSettings(ttl_s=7200)).requests()[0].body["batch"]
    properties = batch["runtimeConfig"]["properties"]
    assert properties["spark.dataproc.driverEnv.PYSPARK_PYTHON"] == PYTHON
    assert properties["spark.executorEnv.PYSPARK_PYTHON"] == PYTHON
    assert not [key for key in properties if "yarn" in key or "deployMode" in key or "shuffle" in key]
    assert batch["environmentConfig"]["executionConfig"] == {"ttl": "7200s"}


def test_a_cluster_of_its_own_takes_two_machines_for_keeps_and_the_rest_from_spot(job):
    policy, _ = Dataproc(job, DataprocSettings()).requests()
    assert config(Dataproc(job, DataprocSettings()))["workerConfig"]["numInstances"] == 2
    assert config(Dataproc(job, DataprocSettings()))["secondaryWorkerConfig"]["numInstances"] == job.nodes - 2
    assert policy.body["policy"]["secondaryWorkerConfig"]["maxInstances"] == job.nodes - 2
    least = config(Dataproc(changed(job, nodes=2), DataprocSettings()))
    assert "numInstances" not in least["secondaryWorkerConfig"]
    with pytest.raises(SettingsError, match="--nodes: expected at least 2"):
        Dataproc(changed(job, nodes=1), DataprocSettings())


@pytest.mark.parametrize(
    ("machine_type", "master", "disks"),
    [
        ("n2-standard-8", "n2-standard-4", ("pd-balanced", "pd-balanced", "pd-balanced")),
        ("c4-standard-8", "n2-standard-4", ("pd-balanced", "hyperdisk-balanced", "hyperdisk-balanced")),
        ("c3-standard-8", "n4-standard-4", ("hyperdisk-balanced", "pd-balanced", "pd-balanced")),
    ],
)
def test_machines_have_disks_that_they_can_take(job, machine_type, master, disks):
    platform = Dataproc(changed(job, machine_type=machine_type), DataprocSettings(master_machine_type=master))
    found = config(platform)
    parts = ("masterConfig", "workerConfig", "secondaryWorkerConfig")
    assert tuple(found[part]["diskConfig"]["bootDiskType"] for part in parts) == disks


def test_jupyter_is_put_on_by_request(job):
    assert "endpointConfig" not in config(Dataproc(job, DataprocSettings()))
    asked = config(Dataproc(job, DataprocSettings(jupyter=True)))
    assert asked["endpointConfig"] == {"enableHttpPortAccess": True}
    assert asked["softwareConfig"]["optionalComponents"] == ["JUPYTER"]


def test_names_are_as_long_as_google_takes_them(job):
    long = changed(job, name="a" * 39 + "b", tags={"Team": "Fruits.v2"})
    policy, workflow = (request.body for request in Dataproc(long, DataprocSettings()).requests())
    assert 3 <= len(policy["policy"]["id"]) <= 50
    assert 2 <= len(workflow["template"]["placement"]["managedCluster"]["clusterName"]) <= 35
    assert len(workflow["requestId"]) <= 40
    assert len(long.job_id) <= 60
    assert labels(long) == {"team": "fruits-v2", "job": long.job_id}


def test_the_lines_say_what_the_messages_say(job):
    words = shlex.split(Dataproc(job, DataprocSettings(cluster="standing", **OWN)).command_line())
    assert words[:6] == ["gcloud", "dataproc", "jobs", "submit", "pyspark", job.script]
    assert words[words.index("--") + 1 :] == list(job.arguments)
    assert {f"--id={job.job_id}", "--cluster=standing", "--region=europe-west1"} <= set(words)
    words = shlex.split(DataprocServerless(job, DataprocServerlessSettings(**OWN)).command_line())
    assert {"--version=2.3", "--ttl=86400s", "--subnet=fruits", f"--kms-key={OWN['kms_key']}"} <= set(words)
    platform = Dataproc(job, DataprocSettings(gcp_project="project"))
    policy, workflow = platform.command_line().split("\nEND\n")
    assert policy.startswith("gcloud dataproc autoscaling-policies import fruits-pipeline-spot-2 --project=project")
    line, _, template = workflow.removesuffix("\nEND").partition("\n")
    assert line.startswith("gcloud dataproc workflow-templates instantiate-from-file --project=project")
    assert json.loads(template) == platform.requests()[1].body["template"]


def test_values_with_commas_get_another_separator(job):
    odd = changed(job, properties={"spark.a": "1,2", "spark.b": "3"})
    assert "--properties=^;^spark.a=1,2;spark.b=3" in shlex.split(
        Dataproc(odd, DataprocSettings(cluster="standing")).command_line()
    )


def test_a_batch_has_no_other_sizes(job):
    for cores, heap_mib in ((6, 12_000), (8, 80_000), (8, 1_000)):
        cut = job.sizes.__class__(**vars(job.sizes) | {"executor_cores": cores, "executor_memory_mib": heap_mib})
        with pytest.raises(SettingsError, match="--executor-cores, --executor-memory"):
            DataprocServerless(changed(job, sizes=cut), DataprocServerlessSettings())


def test_asking_imports_neither_spark_nor_google():
    code = (
        "import sys; from types import SimpleNamespace\n"
        "from fruits_pipeline.submit.dataproc import Dataproc\n"
        "from fruits_pipeline.submit.dataproc_serverless import DataprocServerless\n"
        "from fruits_pipeline.settings.commands import RunCommand, SubmitSettings\n"
        "from fruits_pipeline.settings.dataproc import DataprocSettings as Own\n"
        "from fruits_pipeline.settings.dataproc_serverless import DataprocServerlessSettings as Batch\n"
        "from fruits_pipeline.submit.job import submitted_job\n"
        "run = RunCommand.model_validate({'ingest': {'data_source': 'gs://b/in'}, 'output': {'output_uri': 'gs://b/out'}})\n"
        "job = submitted_job('dataproc', run, SubmitSettings(dry_run=True))\n"
        "for platform in (Dataproc(job, Own()), Dataproc(job, Own(cluster='c')), DataprocServerless(job, Batch())):\n"
        "    platform.requests(); platform.command_line(); platform.logs('id')\n"
        "print([name for name in ('pyspark', 'grpc', 'google.cloud', 'google.auth') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
