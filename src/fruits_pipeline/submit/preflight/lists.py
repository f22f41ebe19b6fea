"""The checks of each platform, in the order in which they are told."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.dataproc import DataprocSettings
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.settings.google import GoogleSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.submit.google import Google, since_3
from fruits_pipeline.submit.google_rest import Project
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.preflight import aws_account, aws_capacity, google_account, google_capacity, output
from fruits_pipeline.submit.preflight.aws_account import Account, Role
from fruits_pipeline.submit.preflight.aws_capacity import Need
from fruits_pipeline.submit.preflight.check import Check

_FEWER_NODES = "give fewer --nodes or a smaller --machine-type"
_FEWER_ON_DEMAND = "give a --machine-type of 4 vCPUs, or take submit emr-serverless, which has a quota of its own"
Command = RunCommand | ScoreCommand


def emr_checks(
    job: SubmittedJob, settings: EmrSettings, profile: str | None, command: Command, body: Mapping[str, Any]
) -> Iterable[Check]:
    """Those of a step: on a cluster that ``body``, a ``RunJobFlow``, makes for it, or on the one that is named."""
    account = Account(job.region, profile)
    yield Check("credentials", partial(aws_account.credentials, account), first=True)
    yield from _buckets(account, job, command)
    if settings.cluster_id:
        look = partial(aws_capacity.running_cluster, account, settings.cluster_id, job.release.release)
        yield Check(f"cluster {settings.cluster_id}", look)
    else:
        yield from _cluster_checks(account, job, settings, body)
    yield from _common(job, command)


def _cluster_checks(
    account: Account, job: SubmittedJob, settings: EmrSettings, body: Mapping[str, Any]
) -> Iterable[Check]:
    service = Role(settings.service_role.rpartition("/")[2], "elasticmapreduce.amazonaws.com", "--service-role")
    yield Check(f"role {service.name}", partial(aws_account.role, account, service))
    profile = settings.node_profile.rpartition("/")[2]
    yield Check(f"instance profile {profile}", partial(aws_account.instance_profile, account, profile))
    for quota, fewer in ((aws_capacity.ON_DEMAND, _FEWER_ON_DEMAND), (aws_capacity.SPOT, _FEWER_NODES)):
        yield Check(f"quota of {quota.label}", partial(aws_capacity.cluster_quota, account, quota, body, fewer))
    yield Check("release", partial(aws_capacity.release, account, job.release.release))
    yield Check("subnets", partial(aws_capacity.subnets, account, settings.subnet))
    fleets = [[kind["InstanceType"] for kind in fleet["InstanceTypeConfigs"]] for fleet in _fleets(body)]
    yield Check("machine types", partial(aws_capacity.machine_types, account, fleets, settings.subnet))


def emr_serverless_checks(
    job: SubmittedJob, settings: EmrServerlessSettings, profile: str | None, command: Command, vcpus: int
) -> Iterable[Check]:
    """Those of a job run of at most ``vcpus``."""
    account = Account(job.region, profile)
    yield Check("credentials", partial(aws_account.credentials, account), first=True)
    yield from _buckets(account, job, command)
    name = str(settings.execution_role_arn).rpartition("/")[2]
    role = Role(name, "emr-serverless.amazonaws.com", "--execution-role-arn")
    yield Check(f"role {name}", partial(aws_account.role, account, role))
    # Spark asks for all of them soon, and EMR Serverless ends a job whose account has not as many.
    need = Need(vcpus, vcpus)
    look = partial(aws_capacity.quota, account, aws_capacity.SERVERLESS, need, "give fewer --nodes or --executors")
    yield Check(f"quota of {aws_capacity.SERVERLESS.label}", look)
    if settings.subnet:
        yield Check("subnets", partial(aws_capacity.subnets, account, settings.subnet))
    yield from _common(job, command)


def dataproc_checks(
    job: SubmittedJob, settings: DataprocSettings, google: Google, command: Command, body: Mapping[str, Any]
) -> Iterable[Check]:
    """Those of a workflow with a cluster of its own, which ``body`` asks for."""
    project = Project(google, job.region)
    yield from _project_checks(project, job, settings, command, ("dataproc.googleapis.com", "compute.googleapis.com"))
    config = body["template"]["placement"]["managedCluster"]["config"]
    machines = google_capacity.groups(config, job.nodes - config["workerConfig"]["numInstances"])
    yield Check("disks", partial(google_capacity.disks, machines))
    yield Check("machine types", partial(google_capacity.machine_types, project, machines))
    yield Check("quotas", partial(google_capacity.quotas, project, machines))
    yield Check("subnetwork", partial(google_capacity.subnetwork, project, settings.subnetwork))
    yield Check("image", partial(google_capacity.image, project, job.release.release))
    yield from _common(job, command)


def dataproc_cluster_checks(
    job: SubmittedJob, settings: DataprocSettings, google: Google, command: Command
) -> Iterable[Check]:
    """Those of a job on the running cluster that is named."""
    project = Project(google, job.region)
    yield from _project_checks(project, job, settings, command, ("dataproc.googleapis.com",))
    name = str(settings.cluster)
    look = partial(google_capacity.running_cluster, project, name, job.release.release)
    yield Check(f"cluster {name}", look)
    yield from _common(job, command)


def dataproc_serverless_checks(
    job: SubmittedJob, settings: GoogleSettings, google: Google, command: Command, body: Mapping[str, Any]
) -> Iterable[Check]:
    """Those of the batch that ``body`` asks for."""
    project = Project(google, job.region)
    more = ["dataprocrm.googleapis.com"] if since_3(job) else []
    apis = ("dataproc.googleapis.com", "compute.googleapis.com", *more)
    yield from _project_checks(project, job, settings, command, apis)
    properties = body["batch"]["runtimeConfig"]["properties"]
    yield Check("quotas", partial(google_capacity.batch_quotas, project, properties))
    yield Check("subnetwork", partial(google_capacity.subnetwork, project, settings.subnetwork))
    yield from _common(job, command)


def _project_checks(
    project: Project, job: SubmittedJob, settings: GoogleSettings, command: Command, apis: Iterable[str]
) -> Iterable[Check]:
    yield Check("credentials", partial(google_account.credentials, project), first=True)
    yield Check("APIs", partial(google_account.apis, project, apis))
    if not command.storage.gcs_endpoint_url:
        for name, flags in buckets_by_flag(_addresses(job, command), "gs").items():
            yield Check(f"bucket {name}", partial(google_account.bucket, project, name, flags))
    if email := settings.service_account:
        yield Check(f"service account {email}", partial(google_account.service_account, project, email))


def _buckets(account: Account, job: SubmittedJob, command: Command) -> Iterable[Check]:
    """None where another server than AWS has them."""
    if not command.storage.s3_endpoint_url:
        for name, flags in buckets_by_flag(_addresses(job, command), "s3").items():
            look = partial(aws_account.bucket, account, name, flags, command.storage.s3_region)
            yield Check(f"bucket {name}", look)


def _common(job: SubmittedJob, command: Command) -> Iterable[Check]:
    if not job.bundle_fault:
        yield Check("package", partial(output.package, job, command.storage))
    yield Check("output", partial(output.output, job, command))


def _addresses(job: SubmittedJob, command: Command) -> dict[str, str]:
    """The addresses of the job in buckets, by the flag that names each."""
    found = {
        "--data-source": command.ingest.data_source,
        "--output-uri": job.output_uri,
        "--bundle": "" if job.bundle_fault else job.script,
        "--log-uri": job.log_uri,
    }
    if isinstance(command, ScoreCommand):
        found["--model"] = command.score.model
    return {flag: uri.normalise(address) for flag, address in found.items() if address}


def buckets_by_flag(addresses: Mapping[str, str], scheme: str) -> dict[str, str]:
    """The flags that name each bucket of a cloud.

    >>> buckets_by_flag({"--data-source": "gs://b/in", "--output-uri": "gs://b/out", "--bundle": "s3://c/x"}, "gs")
    {'b': '--data-source, --output-uri'}
    """
    found: dict[str, list[str]] = {}
    for flag, address in addresses.items():
        if uri.scheme(address) == scheme:
            found.setdefault(address.split("/")[2], []).append(flag)
    return {name: ", ".join(flags) for name, flags in found.items()}


def _fleets(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["Instances"]["InstanceFleets"]
    return found
