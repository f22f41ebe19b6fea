"""Checks that a request has no unfilled placeholder."""

import json
from collections.abc import Mapping
from typing import Any

from fruits_pipeline.errors import SettingsError


def check_filled(body: Any, flags: Mapping[str, str]) -> None:
    """Refuses a request with an unfilled placeholder.

    Args:
        body: The request.
        flags: The flag that fills each placeholder, by the placeholder's name; others may be part of the user's names.

    Raises:
        SettingsError: When a placeholder is left.

    >>> check_filled({"Ids": ["${SUBNET_IDS}"]}, {"SUBNET_IDS": "--subnet"})
    Traceback (most recent call last):
    fruits_pipeline.errors.SettingsError: expected --subnet, found nothing; only --dry-run does without
    """
    said = json.dumps(body)
    wanted = [flag for name, flag in flags.items() if f"${{{name}}}" in said]
    if wanted:
        raise SettingsError(f"expected {', '.join(wanted)}, found nothing; only --dry-run does without")
