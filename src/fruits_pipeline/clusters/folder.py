"""The folders ``config/``, ``jobs/`` and ``bootstrap/``: beside ``src`` in a checkout, else in the installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def config_folder() -> Path:
    """The folder of releases, pinned versions and the clouds' request files."""
    return _beside("config")


def jobs_folder() -> Path:
    """The folder of the scripts that ``spark-submit`` starts."""
    return _beside("jobs")


def bootstrap_folder() -> Path:
    """The folder of the scripts that put the environment on a node."""
    return _beside("bootstrap")


def source_folder() -> Path | None:
    """The checkout that this code is run from; None once installed."""
    checkout = _PACKAGE.parents[1]
    return checkout if (checkout / "pyproject.toml").is_file() else None


def _beside(name: str) -> Path:
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parents[1] / name
