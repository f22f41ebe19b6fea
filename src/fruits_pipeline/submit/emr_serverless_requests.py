"""The requests to EMR Serverless: an application with limits, and a job run on it."""

import hashlib
import shlex
from dataclasses import replace
from typing import Any

from fruits_pipeline.clusters.machines import machine
from fruits_pipeline.clusters.sizing import Sizes
from fruits_pipeline.clusters.templates import load
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.submit.job import SubmittedJob

_ARCHITECTURES = {"x86_64": "X86_64", "arm64": "ARM64"}
# vCPUs of a worker, with the least and the most GB, and the step between:
# https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/app-behavior.html
_WORKERS = {1: (2, 8, 1), 2: (4, 16, 1), 4: (8, 30, 1), 8: (16, 60, 4), 16: (32, 120, 8)}
# EMR Serverless has no YARN, and always runs the driver itself; the file has the interpreters.
_NOT_HERE = ("spark.yarn.", "spark.submit.deployMode", "spark.executorEnv.PYSPARK_PYTHON")


def application_name(job: SubmittedJob, settings: EmrServerlessSettings) -> str:
    """The application's name, with release and architecture in it, which cannot be changed later."""
    return settings.application_name or f"fruits-pipeline-{job.release.release}-{machine(job.machine_type).arch}"


def application_request(job: SubmittedJob, settings: EmrServerlessSettings, earlier: int) -> dict[str, Any]:
    """The body of ``CreateApplication``, limited to the driver and all executors.

    ``earlier`` applications by its name were deleted, and keep their client tokens.

    Raises:
        SettingsError: When no worker is as large as asked for, or more are to be kept ready than the job has.
    """
    name = application_name(job, settings)
    cut = rounded_sizes(job.sizes)
    if settings.initial_executors > cut.executors:
        raise SettingsError(
            f"--initial-executors: expected at most the {cut.executors} executors of the job, found "
            f"{settings.initial_executors}; give fewer, or more --nodes or --executors"
        )
    driver_gb = _gb(cut.driver_memory_mib + cut.driver_overhead_mib)
    executor_gb = _gb(cut.executor_memory_mib + cut.executor_overhead_mib)
    values = {
        "APPLICATION_NAME": name,
        "APPLICATION_TOKEN": f"{job.job_id}-{hashlib.sha256(name.encode()).hexdigest()[:6]}-{earlier}",
        "RELEASE_LABEL": job.release.release,
        "ARCHITECTURE": _ARCHITECTURES[machine(job.machine_type).arch],
        "MAXIMUM_VCPU": cut.driver_cores + cut.executors * cut.executor_cores,
        "MAXIMUM_MEMORY_GB": driver_gb + cut.executors * executor_gb,
        "MAXIMUM_DISK_GB": (cut.executors + 1) * settings.worker_disk_gb,
        "INITIAL_CAPACITY": {
            "DRIVER": _ready(1, cut.driver_cores, driver_gb, settings),
            "EXECUTOR": _ready(settings.initial_executors, cut.executor_cores, executor_gb, settings),
        }
        if settings.initial_executors
        else None,
        "NETWORK": _network(settings),
        "IMAGE": {"imageUri": settings.image_uri} if settings.image_uri else None,
    }
    body: dict[str, Any] = load("emr/serverless-application.json", values)
    return body


def _ready(workers: int, cores: int, memory_gb: int, settings: EmrServerlessSettings) -> dict[str, Any]:
    """Workers that are kept ready; a job takes those that are as large as its own."""
    size = {"cpu": f"{cores} vCPU", "memory": f"{memory_gb} GB", "disk": f"{settings.worker_disk_gb} GB"}
    return {"workerCount": workers, "workerConfiguration": size}


def _network(settings: EmrServerlessSettings) -> dict[str, list[str]] | None:
    given = {"subnetIds": settings.subnet, "securityGroupIds": settings.security_group}
    return {name: list(values) for name, values in given.items() if values} or None


def job_request(job: SubmittedJob, settings: EmrServerlessSettings, token: str) -> dict[str, Any]:
    """The body of ``StartJobRun``; the application's id stays a placeholder where it is not given."""
    properties = {name: value for name, value in job.properties.items() if not name.startswith(_NOT_HERE)}
    properties |= rounded_sizes(job.sizes).properties() | {
        f"spark.emr-serverless.{worker}.disk": f"{settings.worker_disk_gb}g" for worker in ("driver", "executor")
    }
    given = {"APPLICATION_ID": settings.application_id, "EXECUTION_ROLE_ARN": settings.execution_role_arn}
    values = {
        "JOB_TOKEN": token,
        "JOB_ID": job.job_id,
        "TIMEOUT_MINUTES": settings.execution_timeout_minutes,
        "MAX_ATTEMPTS": settings.max_attempts,
        "SCRIPT_URI": job.script,
        "ARGUMENTS": list(job.arguments),
        "ARCHIVES": ",".join(job.archives),
        "SPARK_CONF": " ".join(f"--conf {shlex.quote(f'{name}={value}')}" for name, value in properties.items()),
        "LOG_URI": job.log_uri,
    } | {name: value for name, value in given.items() if value}
    body: dict[str, Any] = load("emr/serverless-job.json", values)
    return {**body, "tags": job.tags | body["tags"]}


def rounded_sizes(cut: Sizes) -> Sizes:
    """Sizes rounded up to workers that EMR Serverless offers; the added memory goes to the heap.

    Raises:
        SettingsError: When no worker is that large.
    """
    driver_cores, driver_mib = _worker("driver", cut.driver_cores, cut.driver_memory_mib + cut.driver_overhead_mib)
    cores, mib = _worker("executor", cut.executor_cores, cut.executor_memory_mib + cut.executor_overhead_mib)
    return replace(
        cut,
        driver_cores=driver_cores,
        driver_memory_mib=driver_mib - cut.driver_overhead_mib,
        executor_cores=cores,
        executor_memory_mib=mib - cut.executor_overhead_mib,
    )


def _worker(what: str, cores: int, memory_mib: int) -> tuple[int, int]:
    """Cores and MiB of the smallest worker with at least as much of both."""
    for vcpus, (least, most, step) in _WORKERS.items():
        memory_gb = max(least, least + -(-(_gb(memory_mib) - least) // step) * step)
        if vcpus >= cores and memory_gb <= most:
            return vcpus, memory_gb * 1024
    raise SettingsError(
        f"--executor-memory, --executor-memory-overhead or --driver-memory: expected at most 16 cores and "
        f"120 GB for the {what} on EMR Serverless, found {cores} cores and {_gb(memory_mib)} GB; give less"
    )


def _gb(memory_mib: int) -> int:
    return -(-memory_mib // 1024)
