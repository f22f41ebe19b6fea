"""Requests to the clouds: the JSON files of ``config/`` with their placeholders filled."""

import json
import re
from collections.abc import Mapping
from typing import Any

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.errors import SettingsError

# A string that is one placeholder takes the value's own type; inside a longer string it is text.
_WHOLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


def load(name: str, values: Mapping[str, Any]) -> Any:
    """The JSON of ``config/<name>`` with each ``${NAME}`` replaced; a name without a value stays as it stands.

    A string that is nothing but a placeholder becomes the value itself (a number, a list, an object); a list's
    element whose value is a list is spliced in. A key whose value is None is left out.

    Args:
        name: Path below ``config/``, such as ``emr/cluster.json``.
        values: Value of each placeholder, by name.

    Raises:
        SettingsError: When the file is missing or no JSON.
    """
    file = config_folder() / name
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"expected JSON in config/{name}, found {error}; take the file as it was shipped"
        ) from error
    return filled(content, values)


def filled(content: Any, values: Mapping[str, Any]) -> Any:
    """``content`` with its placeholders replaced, as ``load`` says.

    >>> filled({"Name": "job-${ID}", "Ids": ["a", "${MORE}"], "K": "${NO}"}, {"ID": 1, "MORE": [2, 3], "NO": None})
    {'Name': 'job-1', 'Ids': ['a', 2, 3]}
    """
    if isinstance(content, dict):
        pairs = ((key, filled(value, values)) for key, value in content.items())
        return {key: value for key, value in pairs if value is not None}
    if isinstance(content, list):
        return [part for value in content for part in _spliced(value, values)]
    if isinstance(content, str):
        if (whole := _WHOLE.fullmatch(content)) and whole[1] in values:
            return values[whole[1]]
        return _WHOLE.sub(lambda found: str(values.get(found[1], found[0])), content)
    return content


def _spliced(value: Any, values: Mapping[str, Any]) -> list[Any]:
    found = filled(value, values)
    return found if isinstance(found, list) and isinstance(value, str) else [found]
