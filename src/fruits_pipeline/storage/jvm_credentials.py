"""Credentials for Spark's Java connectors, found as boto3 and ``gcloud`` find them.

The Java connectors know no single sign-on, no ``credential_process`` and no login of ``gcloud``. What is found is
handed to a Spark of our own in its environment, which no log, no setting and no output shows.
"""

import os
from pathlib import Path
from typing import Final

from fruits_pipeline.settings.storage import StorageSettings

# The connectors find these by themselves, and renew them, which a copy would not be.
_RENEWED_BY_CONNECTORS: Final = frozenset({"iam-role", "container-role", "assume-role-with-web-identity"})
_ADC: Final = "GOOGLE_APPLICATION_CREDENTIALS"


def environment(schemes: frozenset[str], settings: StorageSettings) -> dict[str, str | None]:
    """Environment variables for the process of the connectors of ``schemes``; None for those to take away."""
    found: dict[str, str | None] = {}
    if "s3" in schemes and not settings.s3_anonymous:
        found |= _aws(settings.s3_profile)
    if "gs" in schemes and not settings.gcs_anonymous:
        found |= _google()
    return found


def _aws(profile: str | None) -> dict[str, str | None]:
    import boto3

    credentials = boto3.Session(profile_name=profile).get_credentials()
    if credentials is None or credentials.method in _RENEWED_BY_CONNECTORS:
        return {}
    frozen = credentials.get_frozen_credentials()
    return {
        "AWS_ACCESS_KEY_ID": frozen.access_key,
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
        "AWS_SESSION_TOKEN": frozen.token,
    }


def _google() -> dict[str, str | None]:
    """The file that ``gcloud auth application-default login`` leaves, where nothing else is named."""
    folder = Path(os.environ.get("CLOUDSDK_CONFIG", "~/.config/gcloud")).expanduser()
    login = folder / "application_default_credentials.json"
    return {_ADC: str(login)} if _ADC not in os.environ and login.is_file() else {}
