"""The addresses of what a bundle uploaded, once it is seen to be the right bundle."""

import re
from pathlib import Path

from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.clusters.bundle_index import ENVIRONMENT, MODELS, UPLOADED, Index, model_name, read_bundle
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.features import BackboneSettings, FeaturesSettings
from fruits_pipeline.settings.submit import Arch, SubmitSettings
from fruits_pipeline.submit.arguments import command_name
from fruits_pipeline.submit.spark_properties import Cloud

# Each cloud's nodes fetch the job's files from buckets of the same cloud.
_SCHEMES: dict[Cloud, str] = {"emr": "s3", "dataproc": "gs", "dataproc-serverless": "gs"}
_ARCHIVES = (ENVIRONMENT, MODELS)


def bundled(
    submit: SubmitSettings, run: RunCommand | ScoreCommand, cloud: Cloud, target: str, arch: Arch
) -> tuple[tuple[str, ...], str]:
    """The addresses of script, environment and models, and the bundle's fault.

    Where there is no bundle, it was not uploaded, or another release made it, placeholders stand for the addresses.
    That is a fault, except that a dry run needs no bundle; "" where there is none.

    Raises:
        SubmissionError: When a dry run finds a bundle that is no good.
        SettingsError: When the bundle is another target's, lies where the cloud's nodes do not fetch from, or has not
            the model that the job asks for.
    """
    # Batches start by a file that fetches the archives itself.
    needed = (f"jobs/{'batch' if cloud == 'dataproc-serverless' else command_name(run)}.py", *_ARCHIVES)
    place = submit.bundle or f"dist/{target}-{arch}"
    placeholders = tuple(f"${{BUNDLE_URI}}/{name}" for name in needed)
    if submit.dry_run and not (Path(place) / UPLOADED).is_file():
        return placeholders, ""
    try:
        return _uploaded(place, run, cloud, (target, arch), needed), ""
    except SubmissionError as error:
        if submit.dry_run:
            raise
        return placeholders, str(error)


def side_and_form(features: BackboneSettings) -> tuple[int, str]:
    """Side in pixels and form of the network that is asked for, as ``model_name`` takes them."""
    side = backbone_named(features.backbone).side(features.image_size)
    return side, "tensorflow" if features.engine == "tensorflow" else features.precision


def _uploaded(
    place: str, run: RunCommand | ScoreCommand, cloud: Cloud, wanted: tuple[str, Arch], needed: tuple[str, ...]
) -> tuple[str, ...]:
    target, arch = wanted
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
    side, form = side_and_form(features)
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
