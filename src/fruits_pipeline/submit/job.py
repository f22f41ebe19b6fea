"""The submitted job, the same for every platform: script, arguments, archives, sizes, Spark properties."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from fruits_pipeline.clusters.machines import Machine, machine
from fruits_pipeline.clusters.releases import Release, releases
from fruits_pipeline.clusters.sizing import Sizes, sizes
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.spark_conf import as_properties
from fruits_pipeline.settings.submit import Arch, SubmitSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.submit.arguments import arguments, command_name
from fruits_pipeline.submit.bundled import bundled
from fruits_pipeline.submit.region import Region, aws_region, google_region
from fruits_pipeline.submit.spark_properties import ENVIRONMENT_AS, MODELS_AS, Cloud, spark_properties

log = logging.getLogger(__name__)

_TARGETS = {"emr": "emr-7.14", "dataproc": "dataproc-2.3", "dataproc-serverless": "dataproc-serverless-2.3"}
_MACHINES = {"emr": "m6i.xlarge", "dataproc": "n2-standard-4", "dataproc-serverless": "n2-standard-4"}


@dataclass(frozen=True)
class SubmittedJob:
    """One job, ready for any platform.

    ``archives`` are addresses with the name that each takes on the nodes, ``address#name``; ``properties`` are
    Spark's, sizes included; ``command`` is ``run`` or ``score``; ``job_id`` follows from everything else, so that equal
    requests have equal ids. Where the bundle has a fault, placeholders stand for its addresses.
    """

    name: str
    release: Release
    region: str
    machine_type: str
    nodes: int
    sizes: Sizes
    command: str
    script: str
    arguments: tuple[str, ...]
    archives: tuple[str, ...]
    properties: Mapping[str, str]
    output_uri: str
    log_uri: str
    tags: Mapping[str, str]
    bundle_fault: str = ""
    job_id: str = field(init=False)

    def __post_init__(self) -> None:
        """Derives the id."""
        facts = {name: value for name, value in vars(self).items() if name not in {"sizes", "bundle_fault"}} | asdict(
            self.sizes
        )
        content = json.dumps(facts, sort_keys=True, default=lambda value: value.model_dump())
        object.__setattr__(self, "job_id", f"{self.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}")


def submitted_job(cloud: Cloud, run: RunCommand | ScoreCommand, submit: SubmitSettings) -> SubmittedJob:
    """The job that the settings ask for on ``cloud``.

    Placeholders stand for the addresses of a bundle that does not exist yet; unless it is a ``dry_run``, that is the
    ``bundle_fault``, which keeps the job from being started.

    Raises:
        SettingsError: When target, machine type or their processors do not go together, or an address is no bucket's.
        SubmissionError: When a dry run finds a bundle that is no good.
    """
    _in_bucket("--data-source", run.ingest.data_source, "s3", "gs")
    if isinstance(run, ScoreCommand):
        _in_bucket("--model", run.score.model, "s3", "gs")
    output = _in_bucket("--output-uri", run.output.output_uri, "s3", "gs")
    _check_apart(uri.normalise(run.ingest.data_source), output)
    node = _node(cloud, submit)
    target = submit.target or _TARGETS[cloud]
    release = _release(cloud, target, node.arch)
    cut = sizes(submit, node, run.session.driver_memory)
    (script, environment, models), bundle_fault = bundled(submit, run, cloud, target, node.arch)
    return SubmittedJob(
        name=submit.name,
        release=release,
        region=_region(cloud, run, submit),
        machine_type=node.name,
        nodes=submit.nodes,
        sizes=cut,
        command=command_name(run),
        script=script,
        arguments=(*arguments(run), *(("--cache-dir", MODELS_AS) if isinstance(run, RunCommand) else ())),
        archives=(f"{environment}#{ENVIRONMENT_AS}", f"{models}#{MODELS_AS}"),
        properties=spark_properties(cloud, cut, as_properties(run.session.spark_conf)),
        output_uri=output,
        log_uri=_log_uri(cloud, submit, output),
        tags={"project": submit.name} | dict(tag.split("=", 1) for tag in submit.tag),
        bundle_fault=bundle_fault,
    )


def _in_bucket(flag: str, address: str, *schemes: str) -> str:
    """The normalised ``address``, if it is in a bucket of these schemes."""
    found = uri.normalise(address)
    if uri.scheme(found) not in schemes or found.endswith("://"):
        wanted = " or ".join(f"{scheme}://BUCKET/FOLDER" for scheme in schemes)
        raise SettingsError(
            f"{flag}: expected {wanted}, which every node of a cluster reaches, found {address!r}; put it into a bucket"
        )
    return found


def _check_apart(source: str, output: str) -> None:
    """Refuses what the job itself would refuse: results that would be taken for images, or the reverse."""
    if uri.below(output, source) is not None or uri.below(source, output) is not None:
        raise SettingsError(
            f"expected --output-uri outside --data-source and the reverse, found {output} and {source}; take another "
            "--output-uri"
        )


def _region(cloud: Cloud, run: RunCommand | ScoreCommand, submit: SubmitSettings) -> str:
    if submit.region:
        found = Region(submit.region, "--region")
    else:
        found = aws_region(run.storage.s3_profile) if cloud == "emr" else google_region()
    log.info("region=%s from=%r", found.name, found.origin)
    return found.name


def _log_uri(cloud: Cloud, submit: SubmitSettings, output: str) -> str:
    """The folder of the cluster's logs: by default ``logs/`` of the output's bucket, which a lifecycle rule empties."""
    found = submit.log_uri or "/".join([*output.split("/")[:3], "logs"])
    # Dataproc keeps logs in Cloud Logging.
    if cloud == "emr" and not submit.log_uri and uri.scheme(found) != "s3":
        raise SettingsError(
            f"--log-uri: expected s3://BUCKET/FOLDER for EMR's logs beside the output {output} of another cloud, found "
            "nothing; give one"
        )
    return _in_bucket("--log-uri", found, "s3") if cloud == "emr" else found


def _node(cloud: Cloud, submit: SubmitSettings) -> Machine:
    found = machine(submit.machine_type or _MACHINES[cloud])
    if ("." in found.name) != (cloud == "emr"):
        raise SettingsError(
            f"--machine-type: expected a type of the same cloud, such as {_MACHINES[cloud]}, found {found.name!r}"
        )
    return found


def _release(cloud: Cloud, target: str, arch: Arch) -> Release:
    known = {name: release for name, release in releases().items() if release.platform == cloud}
    if target not in known:
        raise SettingsError(f"--target: expected one of {', '.join(known)}, found {target!r}")
    if arch not in known[target].arches:
        offered = ", ".join(known[target].arches)
        raise SettingsError(f"--machine-type: expected a machine with {offered} for {target}, found one with {arch}")
    return known[target]
