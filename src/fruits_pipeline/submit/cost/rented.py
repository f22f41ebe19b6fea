"""What a submission rents at most, read from the requests that are sent, so that both always agree."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fruits_pipeline.clusters.machines import machine
from fruits_pipeline.clusters.prices import Kind
from fruits_pipeline.clusters.sizing import Sizes, mib
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Platform

# https://aws.amazon.com/emr/pricing/: disk of each worker of EMR Serverless that costs nothing.
_FREE_DISK_GB = 20
# https://cloud.google.com/dataproc-serverless/pricing
_DCU_PER_VCPU, _DCU_PER_GB, _DCU_PER_GB_ABOVE, _GB_PER_VCPU = 0.6, 0.1, 0.2, 8


@dataclass(frozen=True)
class Item:
    """``count`` equal things that are billed by the hour, each of ``units`` of what the price is for.

    ``spot`` names the row of the share that a Spot machine costs; ``others`` are families of the same size that may
    come instead.
    """

    part: str
    what: Kind
    name: str
    count: int
    units: float
    told: str
    spot: str | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rented:
    """The items of a cluster at its largest, and the vCPUs that compute; no items on a cluster that is the user's."""

    items: tuple[Item, ...]
    vcpus: int
    own_cluster: bool = False


def rented(platform: Platform, job: SubmittedJob) -> Rented:
    """What the platform's requests rent."""
    bodies = {request.operation: request.body for request in platform.requests()}
    cut = job.sizes
    vcpus = cut.executors * cut.executor_cores
    # YARN places executors by memory, so that nodes may have more of their cores than vCPUs.
    node_vcpus = job.nodes * machine(job.machine_type).vcpus
    if (body := bodies.get("emr.RunJobFlow")) is not None:
        return Rented(tuple(_emr(body)), min(vcpus, node_vcpus))
    if (body := bodies.get("dataproc.InstantiateInlineWorkflowTemplate")) is not None:
        limits = bodies["dataproc.CreateAutoscalingPolicy"]["policy"]["secondaryWorkerConfig"]
        config = body["template"]["placement"]["managedCluster"]["config"]
        return Rented(tuple(_dataproc(config, limits.get("maxInstances", 0))), min(vcpus, node_vcpus))
    if (body := bodies.get("dataproc.CreateBatch")) is not None:
        return Rented(tuple(_batch(body["batch"]["runtimeConfig"]["properties"])), vcpus)
    if "emr-serverless.StartJobRun" in bodies:
        from fruits_pipeline.submit.emr_serverless_requests import rounded_sizes

        cut, arch = rounded_sizes(cut), machine(job.machine_type).arch
        disks = _serverless_disks(bodies["emr-serverless.StartJobRun"], cut, arch)
        return Rented((*_serverless(cut, arch), *disks), vcpus)
    return Rented((), vcpus, own_cluster=True)


def family(name: str) -> str:
    """The machine type without its size, by which prices are listed.

    >>> family("m6i.2xlarge"), family("n2-standard-8")
    ('m6i', 'n2-standard')
    """
    return name.partition(".")[0] if "." in name else name.rpartition("-")[0]


def _emr(body: Mapping[str, Any]) -> Iterator[Item]:
    """Nodes, fees and disks of ``RunJobFlow``; task nodes up to what managed scaling allows."""
    limits = body["ManagedScalingPolicy"]["ComputeLimits"]
    for fleet in body["Instances"]["InstanceFleets"]:
        kind, *instead = fleet["InstanceTypeConfigs"]
        others = tuple(family(other["InstanceType"]) for other in instead)
        is_task = fleet["InstanceFleetType"] == "TASK"
        count = fleet.get("TargetOnDemandCapacity", 0)
        if is_task:
            count = limits["MaximumCapacityUnits"] - limits["MaximumCoreCapacityUnits"]
        if not count:
            continue
        disks = kind.get("EbsConfiguration", {}).get("EbsBlockDeviceConfigs", ())
        attached = sum(disk["VolumeSpecification"]["SizeInGB"] * disk["VolumesPerInstance"] for disk in disks)
        nodes = _nodes(kind["InstanceType"], count, "EC2" if is_task else None)
        yield replace(nodes, others=others)
        yield Item("service", "EMR", nodes.name, count, nodes.units, "EMR's fee", others=others)
        yield _disk("gp3", count, body["EbsRootVolumeSize"] + attached)


def _dataproc(config: Mapping[str, Any], spot: int) -> Iterator[Item]:
    """Nodes, fees and disks of a managed cluster; Spot workers up to the ``spot`` that its autoscaling allows."""
    groups = ("masterConfig", "workerConfig", "secondaryWorkerConfig")
    for name in groups:
        group, is_spot = config[name], name == "secondaryWorkerConfig"
        count = spot if is_spot else group["numInstances"]
        if not count:
            continue
        # Secondary workers are of the primary ones' type.
        kind = group.get("machineTypeUri", config["workerConfig"]["machineTypeUri"])
        nodes = _nodes(kind, count, "Compute Engine" if is_spot else None)
        yield nodes
        yield Item("service", "Dataproc", "vCPU", count, nodes.units, "Dataproc's fee")
        yield _disk(group["diskConfig"]["bootDiskType"], count, group["diskConfig"]["bootDiskSizeGb"])


def _nodes(kind: str, count: int, spot: str | None) -> Item:
    told = f"{count} x {kind}{' (Spot)' if spot else ''}"
    return Item("nodes", "machine", family(kind), count, machine(kind).vcpus, told, spot)


def _disk(kind: str, count: int, size_gb: float) -> Item:
    return Item("disks", "disk", kind, count, size_gb, f"{count} x {size_gb} GB {kind}")


def _serverless(cut: Sizes, arch: str) -> Iterator[Item]:
    """Workers of EMR Serverless."""
    workers = (
        ("driver", 1, cut.driver_cores, cut.driver_memory_mib + cut.driver_overhead_mib),
        ("executors", cut.executors, cut.executor_cores, cut.executor_memory_mib + cut.executor_overhead_mib),
    )
    for what, count, vcpus, memory_mib in workers:
        memory_gb = math.ceil(memory_mib / 1024)
        told = f"{what}: {count} x {vcpus} vCPU and {memory_gb} GB"
        yield Item("nodes", "EMR Serverless", f"{arch} vCPU", count, vcpus, told)
        yield Item("nodes", "EMR Serverless", f"{arch} memory", count, memory_gb, "")


def _serverless_disks(body: Mapping[str, Any], cut: Sizes, arch: str) -> Iterator[Item]:
    """Disks of EMR Serverless beyond what each worker has for nothing."""
    said = body["jobDriver"]["sparkSubmit"]["sparkSubmitParameters"]
    size_gb = int(re.findall(r"spark\.emr-serverless\.executor\.disk=(\d+)g", said)[-1])
    if size_gb > _FREE_DISK_GB:
        workers, more = cut.executors + 1, size_gb - _FREE_DISK_GB
        yield Item("disks", "EMR Serverless", f"{arch} storage", workers, more, f"{workers} x {more} GB beyond 20")


def _batch(properties: Mapping[str, str]) -> Iterator[Item]:
    """Compute units of driver and executors of a batch."""
    counts = {"driver": 1, "executor": int(properties["spark.dynamicAllocation.maxExecutors"])}
    for what, count in counts.items():
        vcpus = int(properties[f"spark.{what}.cores"])
        sizes = (properties[f"spark.{what}.{name}"] for name in ("memory", "memoryOverhead"))
        memory_gb = sum(mib(size) or 0 for size in sizes) / 1024
        low_gb = min(memory_gb, vcpus * _GB_PER_VCPU)
        units = vcpus * _DCU_PER_VCPU + low_gb * _DCU_PER_GB + (memory_gb - low_gb) * _DCU_PER_GB_ABOVE
        told = f"{what}: {count} x {vcpus} vCPU and {memory_gb:.1f} GB"
        yield Item("nodes", "Dataproc Serverless", "DCU", count, units, told)
