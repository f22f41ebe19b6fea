"""The region of a submission, searched where the vendors' own tools search for it."""

import configparser
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fruits_pipeline.errors import SettingsError

_AWS_DEFAULT, _GOOGLE_DEFAULT = "eu-west-1", "europe-west1"
# In the order of https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html; boto3 knows the second.
_AWS_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
# In the order of botocore's session variables.
_AWS_PROFILES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
# `gcloud dataproc` asks for the first alone; the second is where the same person's machines are.
_GOOGLE_SECTIONS = ("dataproc", "compute")
# An older default of gcloud, in which no subnetwork and no batch lies.
_NO_REGION = "global"


@dataclass(frozen=True)
class Region:
    """A region's name, and what named it."""

    name: str
    origin: str


def aws_region(profile: str | None) -> Region:
    """The region of the environment, else of the profile as boto3 reads it, else one in the EU.

    Args:
        profile: Profile that was asked for; by default the environment's, else ``default``.

    Raises:
        SettingsError: When a file of AWS's configuration cannot be parsed.
    """
    for variable in _AWS_VARIABLES:
        if found := os.environ.get(variable):
            return Region(found, variable)
    named = (os.environ[name] for name in _AWS_PROFILES if os.environ.get(name))
    wanted = profile or next(named, "default")
    # Of two regions botocore takes the one beside the credentials.
    files = (("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"), ("AWS_CONFIG_FILE", "~/.aws/config"))
    for variable, usual in files:
        parsed = _parsed(Path(os.environ.get(variable) or usual).expanduser())
        for section in parsed.sections():
            if _profile(section) == wanted and (found := parsed[section].get("region")):
                return Region(found, f"profile {wanted}")
    return Region(_AWS_DEFAULT, "default")


def google_region() -> Region:
    """The region of gcloud: Dataproc's, else Compute Engine's, of the environment before the active configuration.

    https://cloud.google.com/sdk/gcloud/reference/topic/configurations

    Raises:
        SettingsError: When gcloud's configuration cannot be parsed.
    """
    found = (region for region in _google_regions() if region.name and region.name != _NO_REGION)
    return next(found, Region(_GOOGLE_DEFAULT, "default"))


def _google_regions() -> Iterator[Region]:
    folder = Path(os.environ.get("CLOUDSDK_CONFIG") or "~/.config/gcloud").expanduser()
    active = folder / "active_config"
    name = os.environ.get("CLOUDSDK_ACTIVE_CONFIG_NAME") or (active.read_text().strip() if active.is_file() else "")
    name = name or "default"
    parsed = _parsed(folder / "configurations" / f"config_{name}")
    for section in _GOOGLE_SECTIONS:
        variable = f"CLOUDSDK_{section.upper()}_REGION"
        yield Region(os.environ.get(variable, ""), variable)
        held = parsed.get(section, "region", fallback="")
        yield Region(held, f"{section}/region of gcloud's configuration {name}")


def _profile(section: str) -> str:
    """The profile that a section of AWS's files is about.

    >>> _profile("profile lab"), _profile("default"), _profile("profile 'my own'"), _profile("sso-session s")
    ('lab', 'default', 'my own', '')
    """
    words = shlex.split(section)
    return words[-1] if len(words) == 1 or words[0] == "profile" else ""


def _parsed(file: Path) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False)
    try:
        found.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        told = str(error).splitlines()[0]
        raise SettingsError(f"expected sections in {file}, found {told}; correct it, or give --region") from error
    return found
