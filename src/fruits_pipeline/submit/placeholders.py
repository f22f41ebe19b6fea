"""Values that a request still lacks, and the flags that give them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from fruits_pipeline.errors import SettingsError


def check_filled(body: Any, flags: Mapping[str, str]) -> None:
    """Refuses a request with a placeholder in it.

    Args:
        body: The request.
        flags: The flag that fills each placeholder, by its name.

    Raises:
        SettingsError: When a placeholder is left.

    >>> check_filled({"Ids": ["${SUBNET_IDS}"]}, {"SUBNET_IDS": "--subnet"})
    Traceback (most recent call last):
    fruits_pipeline.errors.SettingsError: expected --subnet, found nothing; only --dry-run does without
    """
    left = dict.fromkeys(re.findall(r"\$\{([A-Z][A-Z0-9_]*)\}", json.dumps(body)))
    if left:
        wanted = ", ".join(flags.get(name, name) for name in left)
        raise SettingsError(f"expected {wanted}, found nothing; only --dry-run does without")
