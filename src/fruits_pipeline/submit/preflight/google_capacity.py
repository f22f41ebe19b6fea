"""What Compute Engine offers in a region, and how much of it a project may have at a time."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fruits_pipeline.clusters.machines import boot_disk, machine
from fruits_pipeline.errors import SubmissionError
from fruits_pipeline.submit.google_rest import NOT_FOUND, Project
from fruits_pipeline.submit.preflight.finding import Finding, fault, ok, unknown, warning

# https://cloud.google.com/compute/resource-usage#cpu_quota: E2 counts as CPUS, other series have quotas of their own.
_CPUS = {"e2": "CPUS"}
_DISKS = {"pd-balanced": "SSD_TOTAL_GB", "pd-ssd": "SSD_TOTAL_GB", "hyperdisk-balanced": "HDB_TOTAL_GB"}
_ANY_DISK = "DISKS_TOTAL_GB"
_SIZE = re.compile(r"(\d+)([kmgt])b?", re.IGNORECASE)
# Counts Spot machines where it is above 0; where it is 0 they count as others do.
_SPOT = "PREEMPTIBLE_CPUS"
_EVERYWHERE = "CPUS_ALL_REGIONS"
# Dataproc's own images: https://cloud.google.com/dataproc/docs/guides/dataproc-images
_IMAGES = "cloud-dataproc"


class Group(NamedTuple):
    """Machines of one kind: their type and disk, and how many at the start and at most."""

    machine_type: str
    disk_type: str
    disk_gb: int
    start: int
    most: int
    spot: bool = False


class Need(NamedTuple):
    """An amount of a quota: at the start, and at most."""

    start: int
    most: int


def groups(config: Mapping[str, Any], spot: int) -> list[Group]:
    """The machines of a ``ClusterConfig`` that grows to ``spot`` secondary workers."""
    found = []
    for name in ("masterConfig", "workerConfig", "secondaryWorkerConfig"):
        of = config.get(name, {})
        disk = of.get("diskConfig", {})
        count = of.get("numInstances", 0)
        secondary = name == "secondaryWorkerConfig"
        kind = of.get("machineTypeUri") or config["workerConfig"]["machineTypeUri"]
        most = max(count, spot) if secondary else count
        found.append(Group(kind, disk.get("bootDiskType", ""), disk.get("bootDiskSizeGb", 0), count, most, secondary))
    return found


def needs(machines: list[Group], *, has_spot_quota: bool) -> dict[str, Need]:
    """What the machines take of each quota, by Compute Engine's name of it."""
    found: dict[str, Need] = {}

    def add(metric: str, each: int, group: Group) -> None:
        held = found.get(metric, Need(0, 0))
        found[metric] = Need(held.start + each * group.start, held.most + each * group.most)

    for group in machines:
        vcpus = machine(group.machine_type).vcpus
        family = group.machine_type.partition("-")[0]
        own = _CPUS.get(family, f"{family.upper()}_CPUS")
        add(_SPOT if group.spot and has_spot_quota else own, vcpus, group)
        add(_DISKS.get(group.disk_type, _ANY_DISK), group.disk_gb, group)
        add(_EVERYWHERE, vcpus, group)
    return {metric: need for metric, need in found.items() if need.most}


def quotas(project: Project, machines: list[Group]) -> Iterator[Finding]:
    """Whether the region and the project have as much left as the machines take."""
    held = _held(project)
    spot = held.get(_SPOT, {}).get("limit", 0) > 0
    for metric, need in needs(machines, has_spot_quota=spot).items():
        yield _quota(project, metric, need, held)


def batch_quotas(project: Project, properties: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the region has as many CPUs and GB of disks left as a batch takes, driver included.

    ``properties`` are Spark's; https://docs.cloud.google.com/managed-spark/quotas-serverless says which quotas count,
    for the standard tiers.
    """
    least = int(properties["spark.dynamicAllocation.minExecutors"])
    most = int(properties["spark.dynamicAllocation.maxExecutors"])

    def need(driver: int, executor: int) -> Need:
        return Need(driver + executor * least, driver + executor * most)

    held = _held(project)
    cpus = need(int(properties["spark.driver.cores"]), int(properties["spark.executor.cores"]))
    yield _quota(project, "CPUS", cpus, held)
    yield _quota(project, _EVERYWHERE, cpus, held)
    disk = (_gb(properties[f"spark.dataproc.{worker}.disk.size"]) for worker in ("driver", "executor"))
    yield _quota(project, _ANY_DISK, need(*disk), held)


def _gb(size: str) -> int:
    """The GB of a size with a suffix k, m, g or t, rounded up.

    Raises:
        SubmissionError: When it is written otherwise.

    >>> _gb("250g"), _gb("1t"), _gb("1500m")
    (250, 1024, 2)
    """
    written = _SIZE.fullmatch(size)
    if written is None:
        raise SubmissionError(f"expected the size of a batch's disk as 250g is, found {size!r}")
    kib: int = int(written[1]) * 1024 ** "kmgt".index(written[2].lower())
    return -(-kib // 1024**2)


def _held(project: Project) -> dict[str, dict[str, Any]]:
    """Limit and usage of each quota of region and project, by its metric.

    Raises:
        SubmissionError: Also when there is no such region or project.
    """
    path = f"projects/{project.name}"
    region = project.get("compute.regions.get", f"{path}/regions/{project.region}", fields="quotas")
    everywhere = project.get("compute.projects.get", path, fields="quotas")
    return {one["metric"]: one for one in (*region.get("quotas", ()), *everywhere.get("quotas", ()))}


def _quota(project: Project, metric: str, need: Need, held: Mapping[str, Mapping[str, Any]]) -> Finding:
    check = f"quota {metric}"
    if metric not in held:
        return unknown(check, f"Compute Engine tells none by that name for {project.region}")
    limit = int(held[metric]["limit"])
    free = limit - int(held[metric].get("usage", 0))
    others = held.get("CPUS", {})
    enough = others.get("limit", 0) - others.get("usage", 0) >= need.start
    e2 = ", or take e2 machines, which count as CPUS" if metric.endswith("_CPUS") and metric != _SPOT and enough else ""
    more = (
        f"ask for more at https://console.cloud.google.com/iam-admin/quotas?project={project.name} (not on a free "
        f"trial), or give fewer --nodes or smaller machines{e2}"
    )
    if need.start > free:
        return fault(check, f"expected at least {need.start} free, found {free} of {limit}", more)
    if need.most > free:
        return warning(check, f"up to {need.most} are asked for, {free} of {limit} free: it stays smaller", more)
    return ok(check, f"{need.most} of {free} free")


def disks(machines: list[Group]) -> Iterator[Finding]:
    """Whether each machine type takes the type of boot disk that is asked for."""
    for group in machines:
        wanted = boot_disk(group.machine_type)
        if wanted.startswith("hyperdisk") and not group.disk_type.startswith("hyperdisk"):
            told = f"expected {wanted} with {group.machine_type}, found {group.disk_type}"
            yield fault("disks", told, "correct config/dataproc/workflow-template.json, or give another --machine-type")
            return
    kinds = sorted({f"{group.machine_type} with {group.disk_type}" for group in machines})
    yield ok("disks", ", ".join(kinds))


def machine_types(project: Project, machines: list[Group]) -> Iterator[Finding]:
    """Whether one zone of the region has all machine types."""
    wanted = sorted({group.machine_type for group in machines})
    zones: set[str] | None = None
    for name in wanted:
        path = f"projects/{project.name}/aggregated/machineTypes"
        listed = project.get("compute.machineTypes.aggregatedList", path, filter=f"name={name}").get("items", {})
        here = {zone.rpartition("/")[2] for zone, found in listed.items() if found.get("machineTypes")}
        here = {zone for zone in here if zone.startswith(f"{project.region}-")}
        zones = here if zones is None else zones & here
    if zones:
        yield ok("machine types", f"{', '.join(wanted)} in {', '.join(sorted(zones))}")
    else:
        told = f"expected {', '.join(wanted)} in one zone of {project.region}, found none with all of them"
        yield fault("machine types", told, "give another --machine-type, --master-machine-type or --region")


def subnetwork(project: Project, name: str | None) -> Iterator[Finding]:
    """Whether the subnetwork is there, and machines without public addresses reach Google's APIs from it.

    Dataproc enables Private Google Access itself, from image 2.2 on and for batches, and Private Service Connect does
    as well: https://docs.cloud.google.com/dataproc/docs/concepts/network
    """
    path = (
        name
        if name and "/" in name
        else f"projects/{project.name}/regions/{project.region}/subnetworks/{name or 'default'}"
    )
    path = path[path.index("projects/") :] if "projects/" in path else f"projects/{project.name}/{path}"
    short = path.rpartition("/")[2]
    check = f"subnetwork {short}"
    try:
        found = project.get("compute.subnetworks.get", path)
    except SubmissionError as error:
        if error.code != NOT_FOUND:
            raise
        yield fault(check, f"expected it in {project.region}, found none", "give --subnetwork of one that is there")
        return
    if found.get("privateIpGoogleAccess"):
        yield ok(check, "with Private Google Access")
    else:
        remedy = (
            f"gcloud compute networks subnets update {short} --project={project.name} --region={project.region} "
            "--enable-private-ip-google-access"
        )
        told = "without Private Google Access, which Dataproc enables itself where it may"
        yield warning(check, told, f"where nodes reach no bucket: {remedy}")


def image(project: Project, version: str) -> Iterator[Finding]:
    """Whether Google still has images of the version; no API lists what Dataproc takes, so that this is no fault."""
    prefix = f"dataproc-{version.replace('.', '-')}-"
    path = f"projects/{_IMAGES}/global/images"
    found = project.get("compute.images.list", path, filter=f"name eq '{prefix}.*'", maxResults="1")
    if found.get("items"):
        yield ok("image", f"{version}, such as {found['items'][0]['name']}")
    else:
        told = f"expected an image {prefix}... in {_IMAGES}, found none: Dataproc may have retired it"
        yield warning("image", told, "give another --target where the start is refused")


def running_cluster(project: Project, name: str, version: str) -> Iterator[Finding]:
    """Whether the cluster takes jobs, and has the image for which the bundle was made."""
    request = {"project_id": project.name, "region": project.region, "cluster_name": name}
    check = f"cluster {name}"
    try:
        found = project.google.call("ClusterController", "get_cluster", request)
    except SubmissionError as error:
        if error.code != "NotFound":
            raise
        told = f"expected it in {project.region}, found none"
        yield fault(check, told, "give the --cluster of another, its --region, or none")
        return
    state, held = found.status.state.name, found.config.software_config.image_version
    if state not in {"RUNNING", "UPDATING", "CREATING"}:
        yield fault(
            check, f"expected it to be running, found it {state.lower()}", "start it, or give another --cluster"
        )
    elif not held.startswith(f"{version}."):
        told = f"expected image {version}, found {held}"
        yield fault(check, told, "give the --target of its image, and a bundle for that")
    else:
        yield ok(check, f"{state.lower()}, image {held}")
