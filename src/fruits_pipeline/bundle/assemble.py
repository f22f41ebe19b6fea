"""The command ``bundle``: a folder with everything that a cluster needs to run the job, with an index of its files."""

import json
import logging
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from fruits_pipeline.bundle.archive import archive_folder
from fruits_pipeline.bundle.environment import install, pip
from fruits_pipeline.bundle.interpreter import copy_interpreter
from fruits_pipeline.bundle.models import write_models
from fruits_pipeline.bundle.upload import upload
from fruits_pipeline.clusters.bundle_index import ENVIRONMENT, INDEX, MODELS, BundledFile, Index, read_bundle, sha256_of
from fruits_pipeline.clusters.folder import bootstrap_folder, config_folder, jobs_folder, source_folder
from fruits_pipeline.clusters.releases import Release, releases
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.bundle import BundleSettings
from fruits_pipeline.settings.commands import BundleCommand
from fruits_pipeline.storage.opening import open_store

log = logging.getLogger(__name__)

_EXTRAS = "s3,gcs"
# It is part of the environment, so that a node fetches one file.
_CHECK = "check_node.py"


def assemble_bundle(command: BundleCommand) -> str:
    """Makes the bundle, uploads it where that is set, and gives its folder, release, sizes and addresses, one a line.

    Raises:
        SettingsError: When the release is unknown or has no such processor, the folder holds something else,
            or no store serves the address to upload to.
        SubmissionError: When pip, the interpreter or the upload fails.
        ModelError: When there are no weights.
    """
    settings = command.bundle
    release = _release(settings)
    folder = settings.bundle_dir or Path("dist") / f"{settings.target}-{settings.arch}"
    _refuse_foreign(folder)
    if settings.upload:
        open_store(settings.upload, command.storage)  # refuses an address that nothing serves before minutes of work
    with tempfile.TemporaryDirectory(prefix="fruits-bundle-") as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        wheel = _wheel(made)
        _environment(settings, release, wheel, made, Path(temporary) / "environment")
        models = write_models(command.network, settings.engine, Path(temporary) / "models")
        archive_folder(Path(temporary) / "models", made / MODELS)
        for name, source in (("jobs", jobs_folder()), ("bootstrap", bootstrap_folder()), ("config", config_folder())):
            shutil.copytree(source, made / name, ignore=shutil.ignore_patterns("__pycache__"))
        index = _write_index(settings, made, models)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)
    facts = [f"bundle      {folder}", f"target      {settings.target} {settings.arch}, Python {release.python}"]
    facts += [f"{name:<24}{index.files[name].bytes / 1e6:>8.1f} MB" for name in (ENVIRONMENT, MODELS, wheel.name)]
    if settings.upload:
        facts.append(f"uploaded    {upload(index, folder, settings.upload, command.storage)}")
        placed = read_bundle(str(folder), command.storage)
        named = (name for name in (ENVIRONMENT, f"bootstrap/{release.platform}.sh") if name in index.files)
        facts += [f"            {placed.address(name)}" for name in named]
    return "\n".join(facts)


def _release(settings: BundleSettings) -> Release:
    known = releases()
    if settings.target not in known:
        raise SettingsError(f"--target: expected one of {', '.join(known)}, found {settings.target!r}")
    if settings.arch not in known[settings.target].arches:
        offered = ", ".join(known[settings.target].arches)
        raise SettingsError(f"--arch: expected {offered} for {settings.target}, found {settings.arch!r}")
    return known[settings.target]


def _refuse_foreign(folder: Path) -> None:
    """Refuses a folder with files that are no bundle's, because a bundle replaces its folder as a whole."""
    bundled = all((folder / name).is_file() for name in (INDEX, ENVIRONMENT))
    if folder.exists() and not bundled and not (folder.is_dir() and next(folder.iterdir(), None) is None):
        raise SettingsError(
            f"--bundle-dir: expected a new folder, an empty one or a bundle, found other files in {str(folder)!r}; "
            "name another"
        )


def _wheel(folder: Path) -> Path:
    """Our own wheel, built from this checkout, or else of this version from the package registry."""
    source = source_folder()
    what = str(source) if source else f"fruits-pipeline=={version('fruits-pipeline')}"
    pip("wheel", "--no-deps", "--wheel-dir", folder, what)
    return next(folder.glob("fruits_pipeline-*.whl"))


def _environment(settings: BundleSettings, release: Release, wheel: Path, made: Path, folder: Path) -> None:
    extras = f"{_EXTRAS},tensorflow" if settings.engine == "tensorflow" else _EXTRAS
    install(f"{wheel}[{extras}]", release, settings.arch, folder)
    if settings.bundle_python:
        copy_interpreter(release, settings.arch, folder)
    shutil.copy(bootstrap_folder() / _CHECK, folder)
    archive_folder(folder, made / ENVIRONMENT)


def _write_index(settings: BundleSettings, folder: Path, models: tuple[str, ...]) -> Index:
    """Writes the index of all files in ``folder``."""
    files = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        files[str(file.relative_to(folder))] = BundledFile(sha256=sha256_of(file), bytes=file.stat().st_size)
    index = Index(
        version=version("fruits-pipeline"), target=settings.target, arch=settings.arch, models=models, files=files
    )
    (folder / INDEX).write_text(json.dumps(index.model_dump(), indent=1) + "\n", encoding="utf-8")
    return index
