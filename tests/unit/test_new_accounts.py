"""What each platform asks for by default stays within what new accounts may have, where the platform can."""

import pytest

from clouds.aws import job
from clouds.dataproc import opened
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.submit.emr_requests import cluster_request
from fruits_pipeline.submit.emr_serverless_requests import application_request
from fruits_pipeline.submit.preflight.aws_capacity import ON_DEMAND, SPOT, Need, cluster_needs
from fruits_pipeline.submit.preflight.google_capacity import groups, needs

# EC2's of a new account; the least that a primary and a core node take is above it.
EC2_VCPUS = 5
SERVERLESS_VCPUS = 16
# Of a region, of all regions, and of SSD in a region, on Google's free trial.
TRIAL_CPUS, TRIAL_CPUS_EVERYWHERE, TRIAL_SSD_GB = 12, 20, 250


@pytest.mark.parametrize(("machine_type", "vcpus"), [("m6i.xlarge", 4), ("m6g.2xlarge", 8)])
def test_a_cluster_of_emr_starts_with_one_spot_node_and_never_has_more_on_demand_than_at_the_start(machine_type, vcpus):
    asked = job(machine_type)
    found = cluster_needs(cluster_request(asked, EmrSettings(subnet=("subnet-1",))))
    assert found == {ON_DEMAND: Need(4 + vcpus, 4 + vcpus), SPOT: Need(vcpus, vcpus * asked.nodes)}


def test_a_cluster_of_emr_wants_more_on_demand_than_a_new_account_has():
    """A primary and a core node of 4 vCPUs each: EMR takes current families from xlarge on."""
    found = cluster_needs(cluster_request(job(), EmrSettings(subnet=("subnet-1",))))
    assert found[ON_DEMAND].start == 8 > EC2_VCPUS
    assert found[SPOT].start <= EC2_VCPUS


def test_a_run_of_emr_serverless_fits_a_new_account():
    limits = application_request(job(), EmrServerlessSettings(), 0)["maximumCapacity"]
    assert limits == {"cpu": f"{SERVERLESS_VCPUS} vCPU", "memory": "44 GB", "disk": "80 GB"}


def test_a_cluster_of_dataproc_starts_within_a_free_trial():
    with opened("workflow") as cloud:
        config = cloud.platform().requests()[-1].body["template"]["placement"]["managedCluster"]["config"]
        found = needs(groups(config, cloud._job.nodes - 2), has_spot_quota=False)
    assert found["N2_CPUS"] == Need(12, 16)
    assert found["N2_CPUS"].start <= TRIAL_CPUS
    assert found["CPUS_ALL_REGIONS"].most <= TRIAL_CPUS_EVERYWHERE
    assert found["SSD_TOTAL_GB"] == Need(150, 200)
    assert found["SSD_TOTAL_GB"].most <= TRIAL_SSD_GB


def test_a_batch_starts_within_a_free_trial():
    with opened("serverless") as cloud:
        properties = cloud.platform().requests()[0].body["batch"]["runtimeConfig"]["properties"]
    executors = [int(properties[f"spark.dynamicAllocation.{end}Executors"]) for end in ("min", "max")]
    vcpus = [int(properties["spark.driver.cores"]) + int(properties["spark.executor.cores"]) * n for n in executors]
    assert vcpus == [12, 16]
    assert vcpus[0] <= TRIAL_CPUS
    assert vcpus[1] <= TRIAL_CPUS_EVERYWHERE
    assert properties["spark.dataproc.executor.disk.size"] == properties["spark.dataproc.driver.disk.size"] == "250g"


def test_with_a_quota_of_their_own_spot_machines_take_nothing_of_the_others():
    with opened("workflow") as cloud:
        config = cloud.platform().requests()[-1].body["template"]["placement"]["managedCluster"]["config"]
    found = needs(groups(config, 5), has_spot_quota=True)
    assert found["N2_CPUS"] == Need(12, 12)
    assert found["PREEMPTIBLE_CPUS"] == Need(0, 20)
