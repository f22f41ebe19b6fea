"""The command that a submission runs on the cluster, from the flags that ``submit`` takes for all of them."""

from typing import Any, Final

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand, SubmitCommand
from fruits_pipeline.settings.features import ReadingSettings

# Rooms of a run whose settings the models of ``score`` bring along, or that ``score`` has not.
_TRAINED: Final = ("features", "reduce", "examine", "classify", "report")
_CLASSIFIER: Final = "classifier"


def submitted_command(settings: SubmitCommand) -> RunCommand | ScoreCommand:
    """What ``--job`` names, with the settings that were given for it.

    Raises:
        SettingsError: When a flag of another job is given, or ``score`` has no models.
    """
    given = {name: _given(settings, name) for name in (*_TRAINED, "score")}
    if settings.submit.job == "run":
        _refuse(given["score"], "score")
        return settings
    if settings.score.model is None:
        raise SettingsError("--model expects the output of a finished run with --job score, found none")
    reading = {name: given["features"].pop(name) for name in ReadingSettings.model_fields if name in given["features"]}
    classifier = {name: given["classify"].pop(name) for name in [_CLASSIFIER] if name in given["classify"]}
    for room in _TRAINED:
        _refuse(given[room], "run")
    shared = {name: getattr(settings, name) for name in ("session", "output", "storage", "ingest")}
    return ScoreCommand.model_validate(shared | {"reading": reading, "score": given["score"] | classifier})


def _given(settings: SubmitCommand, room: str) -> dict[str, Any]:
    """Settings of a room that are not the defaults, by name."""
    found: dict[str, Any] = getattr(settings, room).model_dump(exclude_defaults=True)
    return found


def _refuse(given: dict[str, Any], job: str) -> None:
    if given:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise SettingsError(f"expected no flags of --job {job}, found {flags}; leave them out, or take --job {job}")
