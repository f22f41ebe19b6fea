import pytest

from fruits_pipeline.clusters.machines import machine
from fruits_pipeline.clusters.sizing import check_fits, sizes
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.submit import SizeSettings


@pytest.mark.parametrize(
    "name", ["m6i.2xlarge", "c7i.xlarge", "r5.8xlarge", "n2-standard-8", "n2-highmem-32", "m7g.4xlarge"]
)
def test_executors_fill_a_node_and_fit_into_it(name):
    node = machine(name)
    cut = sizes(SizeSettings(nodes=3), node, "4g")
    each_node = cut.executors // 3
    taken = each_node * (cut.executor_memory_mib + cut.executor_overhead_mib)
    assert each_node * cut.executor_cores == node.vcpus
    assert 0.6 * node.memory_gib * 1024 < taken <= 0.75 * node.memory_gib * 1024
    assert cut.executor_overhead_mib >= 400 * cut.executor_cores


def test_what_the_user_sets_stands():
    asked = SizeSettings(executors=7, executor_cores=2, executor_memory="3g", executor_memory_overhead="900m")
    cut = sizes(asked, machine("m5.4xlarge"), "6g")
    assert (cut.executors, cut.executor_cores, cut.executor_memory_mib, cut.executor_overhead_mib) == (7, 2, 3072, 900)
    assert cut.properties()["spark.driver.memory"] == "6144m"


@pytest.mark.parametrize(
    ("asked", "driver", "flag"),
    [({}, "64g", "--driver-memory"), ({"executor_memory": "40g"}, "4g", "--executor-memory and")],
)
def test_what_no_node_can_hold_is_refused(asked, driver, flag):
    node = machine("m6i.2xlarge")
    with pytest.raises(SettingsError, match=f"{flag}.*: expected at most the 32768 MiB of m6i.2xlarge, found"):
        check_fits(sizes(SizeSettings.model_validate(asked), node, driver), node)
    check_fits(sizes(SizeSettings(), node, "4g"), node)


@pytest.mark.parametrize("name", ["m5.large", "n2-huge-8", "t3.xlarge", "n2-highcpu-8"])
def test_an_unknown_machine_is_refused_by_name(name):
    with pytest.raises(SettingsError, match=name):
        machine(name)
