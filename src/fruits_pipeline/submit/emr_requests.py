"""The requests to EMR: a cluster that ends with its step, or a step for an existing cluster."""

import re
from typing import Any

from fruits_pipeline.clusters.machines import machine
from fruits_pipeline.clusters.sizing import check_fits
from fruits_pipeline.clusters.templates import load
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.submit.job import SubmittedJob

# Current generations of the same size and memory, with which a cluster finds Spot capacity more often.
_ALIKE = {"x86_64": ("6i", "6a", "7i"), "arm64": ("6g", "7g", "6gd")}
# Sizes that all of these have.
_SIZES = "|2|4|8|12|16"
_PRIMARY = {"x86_64": "m6i.xlarge", "arm64": "m6g.xlarge"}
# Given as a flag of `spark-submit`, which must not be repeated as --conf.
_GIVEN_AS_FLAG = frozenset({"spark.submit.deployMode"})
_OUR_TAGS = frozenset({"application", "job", "for-use-with-amazon-emr-managed-policies"})


def cluster_request(job: SubmittedJob, settings: EmrSettings) -> dict[str, Any]:
    """The body of ``RunJobFlow``: the files of ``config/emr`` together.

    Raises:
        SettingsError: When driver or executors are larger than a node.
    """
    check_fits(job.sizes, machine(job.machine_type))
    values = _values(job, settings)
    body: dict[str, Any] = load("emr/cluster.json", values)
    return {
        **body,
        "Instances": {**body["Instances"], "InstanceFleets": _fleets(values)},
        "Configurations": load("emr/configurations.json", values),
        "ManagedScalingPolicy": load("emr/managed-scaling.json", values),
        "AutoTerminationPolicy": load("emr/auto-termination.json", values),
        "Steps": [api_step(step) for step in steps(job, settings)],
    }


def step_request(job: SubmittedJob, settings: EmrSettings) -> dict[str, Any]:
    """The body of ``AddJobFlowSteps``."""
    return {"JobFlowId": settings.cluster_id, "Steps": [api_step(step) for step in steps(job, settings)]}


def cancel_request(job: SubmittedJob, settings: EmrSettings) -> dict[str, Any]:
    """The body of ``AddJobFlowSteps`` that ends the job on YARN, which does not end with its step.

    A step that is cancelled loses its own processes and no others; in cluster mode the driver is none of them:
    https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-cancel-steps.html
    """
    found = load("emr/cancel-step.json", {"JOB_ID": job.job_id})
    return {"JobFlowId": settings.cluster_id, "Steps": [api_step(step) for step in found]}


def steps(job: SubmittedJob, settings: EmrSettings) -> list[dict[str, Any]]:
    """The steps as the ``aws`` tool takes them."""
    found: list[dict[str, Any]] = load("emr/step.json", _values(job, settings))
    return found


def api_step(step: dict[str, Any]) -> dict[str, Any]:
    """A step as the API takes it, in which the members of a flat ``aws`` step are nested.

    >>> api_step({"Type": "CUSTOM_JAR", "Name": "n", "Jar": "command-runner.jar", "Args": ["spark-submit"]})
    {'Name': 'n', 'HadoopJarStep': {'Jar': 'command-runner.jar', 'Args': ['spark-submit']}}
    """
    outer = {name: value for name, value in step.items() if name in {"Name", "ActionOnFailure"}}
    inner = {name: value for name, value in step.items() if name not in {*outer, "Type"}}
    return {**outer, "HadoopJarStep": inner}


def same_size_types(job: SubmittedJob) -> list[str]:
    """The job's machine type, then other types of the same family letter and size.

    Processors give equal features only in f32, so that other precisions keep to the job's machine type.
    """
    found = re.fullmatch(rf"([cmr])\d+[a-z]*\.(({_SIZES})xlarge)", job.machine_type)
    if found is None or "--precision" in job.arguments:
        return [job.machine_type]
    others = (f"{found[1]}{generation}.{found[2]}" for generation in _ALIKE[machine(job.machine_type).arch])
    return list(dict.fromkeys((job.machine_type, *others)))


def _fleets(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The instance fleets, each machine type once in a fleet, as EMR requires."""
    fleets: list[dict[str, Any]] = load("emr/fleets.json", values)
    return [
        {
            **fleet,
            "InstanceTypeConfigs": list({kind["InstanceType"]: kind for kind in fleet["InstanceTypeConfigs"]}.values()),
        }
        for fleet in fleets
    ]


def _values(job: SubmittedJob, settings: EmrSettings) -> dict[str, Any]:
    """The values of the placeholders in ``config/emr``; subnets that were not set stay placeholders."""
    types = same_size_types(job)
    return {
        "JOB_ID": job.job_id,
        "RELEASE_LABEL": job.release.release,
        "PYTHON_VERSION": job.release.python,
        "LOG_URI": job.log_uri,
        "SERVICE_ROLE": settings.service_role,
        "NODE_PROFILE": settings.node_profile,
        "TAGS": _tags(job),
        "PRIMARY_TYPE": settings.primary_type or _PRIMARY[machine(job.machine_type).arch],
        "MACHINE_TYPE": types[0],
        "MACHINE_TYPE_2": types[min(1, len(types) - 1)],
        "MACHINE_TYPE_3": types[min(2, len(types) - 1)],
        "CAPACITY": job.nodes + 1,  # because the core node counts too
        "ACTION_ON_FAILURE": "CONTINUE" if settings.cluster_id else "TERMINATE_CLUSTER",
        # Of a cluster that ends with its step; on one that stays, YARN would keep a job whose step is gone.
        "LIMIT": [] if settings.cluster_id else ["timeout", str(settings.longest_run_s)],
        "ARCHIVES": ",".join(job.archives),
        "SPARK_CONF": [
            word
            for name, value in job.properties.items()
            if name not in _GIVEN_AS_FLAG
            for word in ("--conf", f"{name}={value}")
        ],
        "SCRIPT_URI": job.script,
        "ARGUMENTS": list(job.arguments),
    } | ({"SUBNET_IDS": list(settings.subnet)} if settings.subnet else {})


def _tags(job: SubmittedJob) -> list[dict[str, str]]:
    taken = sorted(_OUR_TAGS & job.tags.keys())
    if taken:
        raise SettingsError(f"--tag: expected names of your own, found {', '.join(taken)}, which submit sets itself")
    return [{"Key": name, "Value": value} for name, value in job.tags.items()]
