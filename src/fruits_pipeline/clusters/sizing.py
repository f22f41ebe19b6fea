"""Number, cores and memory of executors, from the node's size and the measured memory of a Python worker."""

from dataclasses import dataclass

from fruits_pipeline.clusters.machines import Machine
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.submit import SizeSettings

# YARN's share of a node: EMR gives three quarters of m5.xlarge (12 of 16 GiB), Dataproc four fifths.
_YARN_SHARE = 0.75
# One worker's peak was 303 MB on small images and 383 MB on 12-megapixel ones (benchmarks/memory.py); a fifth to spare.
_WORKER_MIB = 460
# Netty, thread stacks and the JVM's own beside the heap: Spark's least overhead.
_JVM_MIB = 384
# The driver takes the place of one executor: the smaller that is, the less a driver or a lost executor costs.
_MOST_CORES = 4
_LEAST_HEAP_MIB = 1024


@dataclass(frozen=True)
class Sizes:
    """Executors at most, and cores, heap and memory overhead in MiB of each of them and of the driver."""

    executors: int
    executor_cores: int
    executor_memory_mib: int
    executor_overhead_mib: int
    driver_cores: int
    driver_memory_mib: int
    driver_overhead_mib: int

    def properties(self) -> dict[str, str]:
        """The sizes as Spark properties."""
        return {
            "spark.driver.cores": str(self.driver_cores),
            "spark.driver.memory": f"{self.driver_memory_mib}m",
            "spark.driver.memoryOverhead": f"{self.driver_overhead_mib}m",
            "spark.executor.cores": str(self.executor_cores),
            "spark.executor.memory": f"{self.executor_memory_mib}m",
            "spark.executor.memoryOverhead": f"{self.executor_overhead_mib}m",
        }


def sizes(settings: SizeSettings, node: Machine, driver_memory: str) -> Sizes:
    """Sizes of executors that fill the nodes; what the user set is kept.

    Args:
        settings: Number of nodes, and sizes that the user set.
        node: The machine that they run on.
        driver_memory: The driver's heap, as Java takes it.
    """
    cores = settings.executor_cores or _cores(node.vcpus)
    each_node = max(1, node.vcpus // cores)
    overhead = mib(settings.executor_memory_overhead) or _JVM_MIB + cores * _WORKER_MIB
    room = int(node.memory_gib * 1024 * _YARN_SHARE) // each_node
    heap = mib(settings.executor_memory) or max(_LEAST_HEAP_MIB, room - overhead)
    driver = mib(driver_memory) or _LEAST_HEAP_MIB
    return Sizes(
        executors=settings.executors or each_node * settings.nodes,
        executor_cores=cores,
        executor_memory_mib=heap,
        executor_overhead_mib=overhead,
        driver_cores=min(4, cores),
        driver_memory_mib=driver,
        # The driver decodes no images, but holds a model, and fits components by NumPy.
        driver_overhead_mib=max(1024, driver // 4),
    )


def check_fits(cut: Sizes, node: Machine) -> None:
    """Refuses a driver or an executor that is larger than a node, before a cluster is made on which it cannot start.

    Raises:
        SettingsError: When the driver or an executor is larger than the machine.
    """
    parts = {
        "--driver-memory": cut.driver_memory_mib + cut.driver_overhead_mib,
        "--executor-memory and --executor-memory-overhead": cut.executor_memory_mib + cut.executor_overhead_mib,
    }
    for flags, needed in parts.items():
        if needed > node.memory_gib * 1024:
            raise SettingsError(
                f"{flags}: expected at most the {node.memory_gib * 1024} MiB of {node.name}, found {needed} MiB with "
                "what lies beside the heap; give less, or a larger --machine-type"
            )


def mib(size: str | None) -> int | None:
    """A memory size of Java, such as ``4g``, in MiB.

    >>> mib("4g"), mib("512m"), mib(None)
    (4096, 512, None)
    """
    if size is None:
        return None
    return int(size[:-1]) * (1024 if size[-1] in "gG" else 1)


def _cores(vcpus: int) -> int:
    """Cores of one executor: the largest number up to 4 that cuts the node evenly.

    >>> [_cores(vcpus) for vcpus in (4, 8, 16, 22, 36, 96)]
    [4, 4, 4, 2, 4, 4]
    """
    return next(cores for cores in range(min(_MOST_CORES, vcpus), 0, -1) if vcpus % cores == 0)
