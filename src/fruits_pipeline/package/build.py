"""The door of ``package``: a folder with all that a cluster needs, its index, and its upload."""

import json
import logging
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from fruits_pipeline.clusters.bundle_index import ENVIRONMENT, INDEX, MODELS, Index, Packaged, read_package, sha256_of
from fruits_pipeline.clusters.folder import bootstrap_folder, config_folder, jobs_folder, source_folder
from fruits_pipeline.clusters.releases import Release, releases
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.package.archive import archived
from fruits_pipeline.package.environment import install, pip
from fruits_pipeline.package.interpreter import bundle
from fruits_pipeline.package.models import write_models
from fruits_pipeline.package.upload import upload
from fruits_pipeline.settings.commands import PackageCommand
from fruits_pipeline.settings.package import PackageSettings
from fruits_pipeline.storage.opening import open_store

log = logging.getLogger(__name__)

_EXTRAS = "s3,gcs"
# Lies in the environment itself, so that a node fetches one file.
_CHECK = "check_node.py"


def build_package(settings: PackageCommand) -> str:
    """Makes the package and gives what a person wants to know of it, one fact a line.

    Raises:
        SettingsError: When the target is unknown or has no such processor, the folder holds something else,
            or nothing serves the address to upload to.
        SubmissionError: When pip, the interpreter or the upload fails.
        ModelError: When there are no weights.
    """
    asked = settings.package
    release = _release(asked)
    folder = asked.package_dir or Path("dist") / f"{asked.target}-{asked.arch}"
    _refuse_foreign(folder)
    if asked.upload:
        open_store(asked.upload, settings.storage)  # refuses an address that nothing serves before minutes of work
    with tempfile.TemporaryDirectory(prefix="fruits-package-") as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        wheel = _wheel(made)
        _environment(asked, release, wheel, made, Path(temporary) / "environment")
        models = write_models(settings.network, asked.engine, Path(temporary) / "models")
        archived(Path(temporary) / "models", made / MODELS)
        for name, source in (("jobs", jobs_folder()), ("bootstrap", bootstrap_folder()), ("config", config_folder())):
            shutil.copytree(source, made / name, ignore=shutil.ignore_patterns("__pycache__"))
        index = _indexed(asked, made, models)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)
    facts = [f"package     {folder}", f"target      {asked.target} {asked.arch}, Python {release.python}"]
    facts += [f"{name:<24}{index.files[name].bytes / 1e6:>8.1f} MB" for name in (ENVIRONMENT, MODELS, wheel.name)]
    if asked.upload:
        facts.append(f"uploaded    {upload(index, folder, asked.upload, settings.storage)}")
        placed = read_package(str(folder), settings.storage)
        facts += [f"            {placed.address(name)}" for name in (ENVIRONMENT, f"bootstrap/{release.platform}.sh")]
    return "\n".join(facts)


def _release(asked: PackageSettings) -> Release:
    known = releases()
    if asked.target not in known:
        raise SettingsError(f"--target: expected one of {', '.join(known)}, found {asked.target!r}")
    if asked.arch not in known[asked.target].arches:
        offered = ", ".join(known[asked.target].arches)
        raise SettingsError(f"--arch: expected {offered} for {asked.target}, found {asked.arch!r}")
    return known[asked.target]


def _refuse_foreign(folder: Path) -> None:
    """A package replaces its folder as a whole, which must not be anybody's other files."""
    packaged = all((folder / name).is_file() for name in (INDEX, ENVIRONMENT))
    if folder.exists() and not packaged and not (folder.is_dir() and next(folder.iterdir(), None) is None):
        raise SettingsError(
            f"--package-dir: expected a new folder, an empty one or a package, found other files in {str(folder)!r}; "
            "name another"
        )


def _wheel(folder: Path) -> Path:
    """Our own wheel: of this checkout, or where there is none, of this version in the package registry."""
    source = source_folder()
    what = str(source) if source else f"fruits-pipeline=={version('fruits-pipeline')}"
    pip("wheel", "--no-deps", "--wheel-dir", folder, what)
    return next(folder.glob("fruits_pipeline-*.whl"))


def _environment(asked: PackageSettings, release: Release, wheel: Path, made: Path, folder: Path) -> None:
    extras = f"{_EXTRAS},tensorflow" if asked.engine == "tensorflow" else _EXTRAS
    install(f"{wheel}[{extras}]", release, asked.arch, folder)
    if asked.bundle_python:
        bundle(release, asked.arch, folder)
    shutil.copy(bootstrap_folder() / _CHECK, folder)
    archived(folder, made / ENVIRONMENT)


def _indexed(asked: PackageSettings, folder: Path, models: tuple[str, ...]) -> Index:
    """Writes the index of all files in ``folder``."""
    files = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        files[str(file.relative_to(folder))] = Packaged(sha256=sha256_of(file), bytes=file.stat().st_size)
    index = Index(version=version("fruits-pipeline"), target=asked.target, arch=asked.arch, models=models, files=files)
    (folder / INDEX).write_text(json.dumps(index.model_dump(), indent=1) + "\n", encoding="utf-8")
    return index
