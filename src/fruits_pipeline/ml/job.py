"""The whole job on the Spark session that is there."""

from typing import Final

from pydantic import JsonValue

from fruits_pipeline.ml.connect import refuse_connect
from fruits_pipeline.pipeline import execute
from fruits_pipeline.settings.commands import RunCommand
from fruits_pipeline.settings.keywords import from_keywords

# A library reads no file of settings, and leaves logging to whoever uses it.
_OF_THE_COMMAND_LINE: Final = ("config", "log_level")


def run(**settings: object) -> dict[str, JsonValue]:
    """Extracts, reduces and classifies as the command ``run`` does, and gives what ``run.json`` holds.

    It works on the active Spark session, which goes on and afterwards has the settings that it had. Where there is
    none, it starts one of its own, and stops it.

    Args:
        settings: Those of the command, by the names of its flags. No environment variable is read for them.

    Raises:
        SettingsError: With every fault in the settings.
        FruitsError: One of its kinds, as the command ends with their exit codes.

    >>> run(data_source="fruits-360", output_uri="results")["status"]  # doctest: +SKIP
    'done'
    """
    refuse_connect()
    return execute("run", from_keywords(RunCommand, settings, without=_OF_THE_COMMAND_LINE))
