"""The submitted job, the same for every platform: script, arguments, archives, sizes, Spark properties."""

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.clusters.bundle_index import ENVIRONMENT, MODELS, UPLOADED, Index, model_name, read_bundle
from fruits_pipeline.clusters.machines import Machine, machine
from fruits_pipeline.clusters.releases import Release, releases
from fruits_pipeline.clusters.sizing import Sizes, sizes
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.submit import Arch, SubmitSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.submit.region import Region, aws_region, google_region

log = logging.getLogger(__name__)

Cloud = Literal["emr", "dataproc", "dataproc-serverless"]
_TARGETS = {"emr": "emr-7.14", "dataproc": "dataproc-2.3", "dataproc-serverless": "dataproc-serverless-2.3"}
_MACHINES = {"emr": "m6i.2xlarge", "dataproc": "n2-standard-8", "dataproc-serverless": "n2-standard-8"}
# Each cloud's nodes fetch the job's files from buckets of the same cloud.
_SCHEMES = {"emr": "s3", "dataproc": "gs", "dataproc-serverless": "gs"}
_ARCHIVES = (ENVIRONMENT, MODELS)
# Set here too, because Spark may open the file system before the job does; session/buckets.py says why.
_NO_CHECK = {"spark.hadoop.fs.gs.create.items.conflict.check.enable": "false"}
_PROPERTIES = {"dataproc": _NO_CHECK, "dataproc-serverless": _NO_CHECK}
# The archives appear under these names in the working directory of driver and executors.
_ENVIRONMENT_AS, _MODELS_AS = "environment", "models"
PYTHON = f"./{_ENVIRONMENT_AS}/bin/python"
# Settings of this machine alone: cache, files and profile; and the driver's heap, which is a Spark property.
_STAYS_HERE = frozenset({"cache_dir", "weights", "config", "s3_profile", "driver_memory"})


@dataclass(frozen=True)
class SubmittedJob:
    """One job, ready for any platform.

    ``archives`` are addresses with the name that each takes on the nodes, ``address#name``; ``properties`` are
    Spark's, sizes included; ``command`` is ``run`` or ``score``; ``job_id`` follows from everything else, so that equal
    requests have equal ids.
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
    job_id: str = field(init=False)

    def __post_init__(self) -> None:
        """Derives the id."""
        facts = {name: value for name, value in vars(self).items() if name != "sizes"} | asdict(self.sizes)
        content = json.dumps(facts, sort_keys=True, default=lambda value: value.model_dump())
        object.__setattr__(self, "job_id", f"{self.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}")


def submitted_job(cloud: Cloud, run: RunCommand | ScoreCommand, submit: SubmitSettings) -> SubmittedJob:
    """The job that the settings ask for on ``cloud``.

    With ``dry_run`` placeholders stand for the addresses of a bundle that does not exist yet.

    Raises:
        SettingsError: When target, machine type or their processors do not go together, or an address is no bucket's.
        SubmissionError: When there is no bundle, or it was not uploaded.
    """
    _in_bucket("--data-source", run.ingest.data_source, "s3", "gs")
    if isinstance(run, ScoreCommand):
        _in_bucket("--model", run.score.model, "s3", "gs")
    output = _in_bucket("--output-uri", run.output.output_uri, "s3", "gs")
    node = _node(cloud, submit)
    target = submit.target or _TARGETS[cloud]
    release = _release(cloud, target, node.arch)
    cut = sizes(submit, node, run.session.driver_memory)
    script, environment, models = _addresses(submit, run, cloud, target, node.arch)
    return SubmittedJob(
        name=submit.name,
        release=release,
        region=_region(cloud, run, submit),
        machine_type=node.name,
        nodes=submit.nodes,
        sizes=cut,
        command=_command(run),
        script=script,
        arguments=(*arguments(run), *(("--cache-dir", _MODELS_AS) if isinstance(run, RunCommand) else ())),
        archives=(f"{environment}#{_ENVIRONMENT_AS}", f"{models}#{_MODELS_AS}"),
        properties=cut.properties() | _properties(cut) | _PROPERTIES.get(cloud, {}),
        output_uri=output,
        log_uri=_log_uri(cloud, submit, output),
        tags={"project": submit.name} | dict(tag.split("=", 1) for tag in submit.tag),
    )


def arguments(run: RunCommand | ScoreCommand) -> Iterator[str]:
    """The job's flags: settings that differ from the defaults, without those that hold for this machine alone."""
    rooms = (getattr(run, name).model_dump(mode="json", exclude_defaults=True) for name in _rooms(run))
    for name, value in (pair for room in rooms for pair in room.items()):
        flag = "--" + name.replace("_", "-")
        if name in _STAYS_HERE:
            continue
        if isinstance(value, bool):
            yield flag if value else f"--no-{flag.removeprefix('--')}"
        elif isinstance(value, list):
            yield from (word for part in value for word in (flag, str(part)))
        else:
            # Without an exponent: a share of components wants its dot.
            yield from (flag, format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value))


def _command(run: RunCommand | ScoreCommand) -> str:
    return "score" if isinstance(run, ScoreCommand) else "run"


def _rooms(run: RunCommand | ScoreCommand) -> Iterable[str]:
    """The rooms that are the job's own: those of ``submit`` stay here."""
    return (ScoreCommand if isinstance(run, ScoreCommand) else RunCommand).model_fields


def _properties(cut: Sizes) -> dict[str, str]:
    """Spark's properties that are the same on every platform."""
    return {
        "spark.submit.deployMode": "cluster",
        # A second attempt would start from zero beside the first one's lease; the same command resumes instead.
        "spark.yarn.maxAppAttempts": "1",
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.minExecutors": "1",
        "spark.dynamicAllocation.maxExecutors": str(cut.executors),
        "spark.yarn.appMasterEnv.PYSPARK_PYTHON": PYTHON,
        "spark.executorEnv.PYSPARK_PYTHON": PYTHON,
        "spark.python.daemon.module": "fruits_pipeline.session.daemon",
        # The job has no tables. A cluster's catalogue (Glue, Hive) takes rights and time at the first query.
        "spark.sql.catalogImplementation": "in-memory",
        # Node statistics of the forest are arrays of doubles, which Java's own serialisation writes slowly.
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.kryoserializer.buffer.max": "1g",
    }


def _in_bucket(flag: str, address: str, *schemes: str) -> str:
    """The normalised ``address``, if it is in a bucket of these schemes."""
    found = uri.normalise(address)
    if uri.scheme(found) not in schemes or found.endswith("://"):
        wanted = " or ".join(f"{scheme}://BUCKET/FOLDER" for scheme in schemes)
        raise SettingsError(
            f"{flag}: expected {wanted}, which every node of a cluster reaches, found {address!r}; put it into a bucket"
        )
    return found


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


def _addresses(
    submit: SubmitSettings, run: RunCommand | ScoreCommand, cloud: Cloud, target: str, arch: Arch
) -> tuple[str, ...]:
    """The addresses of script, environment and models."""
    # Batches start by a file that fetches the archives itself.
    needed = (f"jobs/{'batch' if cloud == 'dataproc-serverless' else _command(run)}.py", *_ARCHIVES)
    place = submit.bundle or f"dist/{target}-{arch}"
    if submit.dry_run and not (Path(place) / UPLOADED).is_file():
        return tuple(f"${{BUNDLE_URI}}/{name}" for name in needed)
    from importlib.metadata import version  # late, because a dry run needs none

    bundle = read_bundle(place, run.storage)
    if bundle.index.version != (ours := version("fruits-pipeline")):
        raise SubmissionError(
            f"expected a bundle made by fruits-pipeline {ours}, found one of {bundle.index.version} in {place}; "
            f"run fruits-pipeline bundle --target {target} --arch {arch}"
        )
    found = (bundle.index.target, bundle.index.arch)
    if found != (target, arch):
        raise SettingsError(
            f"--bundle: expected one for {target} on {arch}, found one for {' on '.join(found)} in {place}; "
            f"run fruits-pipeline bundle --target {target} --arch {arch}"
        )
    # Lists of archives are separated by commas, options by blanks, and # begins the name that an archive takes.
    if not re.fullmatch(rf"{_SCHEMES[cloud]}://[^\s,;#$'\"\\]+", bundle.base):
        raise SettingsError(
            f"--bundle: expected one in {_SCHEMES[cloud]}://BUCKET/FOLDER without blanks, commas or quotes, found one "
            f"in {bundle.base!r}; run fruits-pipeline bundle --target {target} --arch {arch} --upload URI"
        )
    if isinstance(run, RunCommand):
        _check_model(run.features, bundle.index, place)
    return tuple(bundle.address(name) for name in needed)


def _check_model(features: FeaturesSettings, index: Index, place: str) -> None:
    side = backbone_named(features.backbone).side(features.image_size)
    form = "tensorflow" if features.engine == "tensorflow" else features.precision
    wanted = model_name(features.backbone, side, form)
    if wanted not in index.models:
        network = f"--backbone {features.backbone} --image-size {side}"
        first = f"run fruits-pipeline calibrate {network} and then " if form == "int8" else "run "
        engine = " --engine tensorflow" if form == "tensorflow" else ""
        raise SettingsError(
            f"--engine, --precision, --image-size, --backbone: expected one of the bundle's models "
            f"{', '.join(index.models)}, found {wanted}, not in {place}; "
            f"{first}fruits-pipeline bundle --target {index.target} --arch {index.arch} {network}{engine}"
        )
