"""What Dataproc is asked for, by message and by command line."""

import json
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest

from clouds.dataproc import DataprocCloud
from fruits_pipeline.clusters.releases import releases
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


@pytest.fixture(scope="module")
def batch_job():
    return DataprocCloud(SimpleNamespace(clusters=set()), "serverless")._job


def batch(job, **own):
    return DataprocServerless(job, DataprocServerlessSettings(**own)).requests()[0].body["batch"]


def changed(job, **facts):
    kept = {name: value for name, value in vars(job).items() if name != "job_id"}
    return type(job)(**kept | facts)


def config(platform):
    return platform.requests()[1].body["template"]["placement"]["managedCluster"]["config"]


@pytest.mark.parametrize("own", [{}, OWN], ids=["nothing named", "all named"])
def test_each_request_is_a_message_of_google(job, batch_job, own):
    platforms = [
        Dataproc(job, DataprocSettings(jupyter=True, **own)),
        Dataproc(job, DataprocSettings(cluster="standing", **own)),
        DataprocServerless(batch_job, DataprocServerlessSettings(**own)),
        DataprocServerless(
            changed(batch_job, release=releases()["dataproc-serverless-3.0"]), DataprocServerlessSettings(**own)
        ),
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


def test_the_connector_reads_no_folder_above_a_file_as_an_object(job, batch_job):
    """Which a job that is granted prefixes may not; Hadoop's connector tolerates 404 alone."""
    name = "spark.hadoop.fs.gs.create.items.conflict.check.enable"
    assert job.properties[name] == "false"
    assert batch(batch_job)["runtimeConfig"]["properties"][name] == "false"


def test_a_batch_has_its_own_names_for_the_same_and_no_yarn(batch_job):
    found = batch(batch_job, ttl_s=7200)
    properties = found["runtimeConfig"]["properties"]
    assert properties["spark.executorEnv.PYSPARK_PYTHON"] == PYTHON
    assert properties["spark.app.name"] == batch_job.job_id
    assert not [key for key in properties if "yarn" in key or "deployMode" in key or "shuffle" in key]
    assert found["environmentConfig"]["executionConfig"] == {"ttl": "7200s"}


def test_a_batch_starts_in_the_python_of_its_runtime_and_fetches_the_bundle(batch_job):
    """Google unpacks archives for executors; the driver's Python must not be in one."""
    found = batch(batch_job)
    spark, properties = found["pysparkBatch"], found["runtimeConfig"]["properties"]
    assert not [key for key in properties if "driverEnv" in key or key.startswith("spark.pyspark")]
    assert spark["mainPythonFileUri"].endswith("/batch.py")
    assert spark["args"][:3] == ["run", *spark["archiveUris"]]
    assert [uri.rpartition("#")[2] for uri in spark["archiveUris"]] == ["environment", "models"]
    assert spark["args"][-2:] == ["--cache-dir", "models"]


def test_runtimes_have_bundles_of_their_own(batch_job):
    assert (batch_job.release.release, batch_job.release.python) == ("2.3", "3.11")
    latest = releases()["dataproc-serverless-3.0"]
    assert (latest.release, latest.python) == ("3.0", "3.12")


def test_a_batch_of_runtime_3_runs_as_its_account_and_has_no_staging_bucket(batch_job):
    """End users' credentials are the default since 3.0, and the staging bucket is not used."""
    latest = changed(batch_job, release=releases()["dataproc-serverless-3.0"])
    own = {name: OWN[name] for name in ("service_account", "staging_bucket")}
    found = batch(latest, **own)["environmentConfig"]["executionConfig"]
    assert found["authenticationConfig"] == {"userWorkloadAuthenticationType": "SERVICE_ACCOUNT"}
    assert "stagingBucket" not in found
    line = DataprocServerless(latest, DataprocServerlessSettings(**own)).command_line()
    assert "--user-workload-authentication-type=SERVICE_ACCOUNT" in line
    assert "authenticationConfig" not in batch(latest)["environmentConfig"]["executionConfig"]
    earlier = batch(batch_job, **own)["environmentConfig"]["executionConfig"]
    assert earlier["stagingBucket"] == "staging"
    assert "authenticationConfig" not in earlier


def test_a_batch_takes_an_image_of_its_own(batch_job):
    image = "registry.example.com/project/images/spark:1"
    assert batch(batch_job, container_image=image)["runtimeConfig"]["containerImage"] == image
    line = DataprocServerless(batch_job, DataprocServerlessSettings(container_image=image)).command_line()
    assert f"--container-image={image}" in shlex.split(line)
    assert "containerImage" not in batch(batch_job)["runtimeConfig"]


def test_a_cluster_of_its_own_takes_two_machines_for_keeps_and_the_rest_from_spot(job):
    policy, _ = Dataproc(changed(job, nodes=9), DataprocSettings()).requests()
    assert policy.body["policy"]["secondaryWorkerConfig"]["maxInstances"] == 7
    assert config(Dataproc(job, DataprocSettings()))["workerConfig"]["numInstances"] == 2
    with pytest.raises(SettingsError, match="--nodes: expected at least 2"):
        Dataproc(changed(job, nodes=1), DataprocSettings())


def test_the_driver_starts_before_there_is_a_spot_machine(job):
    """Autoscaling does not go together with am.primary_only, which would keep it on primary workers too."""
    made = config(Dataproc(changed(job, nodes=9), DataprocSettings()))
    assert "numInstances" not in made["secondaryWorkerConfig"]
    assert "dataproc:am.primary_only" not in made["softwareConfig"]["properties"]


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


def test_the_lines_say_what_the_messages_say(job, batch_job):
    words = shlex.split(Dataproc(job, DataprocSettings(cluster="standing", **OWN)).command_line())
    assert words[:6] == ["gcloud", "dataproc", "jobs", "submit", "pyspark", job.script]
    assert words[words.index("--") + 1 :] == list(job.arguments)
    assert {f"--id={job.job_id}", "--cluster=standing", "--region=europe-west1"} <= set(words)
    words = shlex.split(DataprocServerless(batch_job, DataprocServerlessSettings(**OWN)).command_line())
    assert {"--version=2.3", "--ttl=86400s", "--subnet=fruits", f"--kms-key={OWN['kms_key']}"} <= set(words)
    platform = Dataproc(job, DataprocSettings(gcp_project="project"))
    policy, workflow = platform.command_line().split("\nEND\n")
    assert policy.startswith("gcloud dataproc autoscaling-policies import fruits-pipeline-spot-1 --project=project")
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
        "again = submitted_job('dataproc-serverless', run, SubmitSettings(dry_run=True))\n"
        "for platform in (Dataproc(job, Own()), Dataproc(job, Own(cluster='c')), DataprocServerless(again, Batch())):\n"
        "    platform.requests(); platform.command_line(); platform.logs('id')\n"
        "print([name for name in ('pyspark', 'grpc', 'google.cloud', 'google.auth') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
