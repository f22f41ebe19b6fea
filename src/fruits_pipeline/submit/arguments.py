"""The command that the cluster runs, as words."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from fruits_pipeline.settings.commands import RunCommand, ScoreCommand

# Settings of this machine alone: cache, files and profile; what becomes properties of Spark; and what `submit` adds.
_STAYS_HERE = frozenset({"cache_dir", "weights", "config", "s3_profile", "driver_memory", "spark_conf", "rates"})


def arguments(run: RunCommand | ScoreCommand) -> Iterator[str]:
    """The job's flags: settings that differ from the defaults, without those that hold for this machine alone."""
    rooms = (getattr(run, name).model_dump(mode="json", exclude_defaults=True) for name in _rooms(run))
    for name, value in (pair for room in rooms for pair in room.items()):
        flag = "--" + name.replace("_", "-")
        if name in _STAYS_HERE:
            continue
        if isinstance(value, bool):
            yield flag if value else f"--no-{flag.removeprefix('--')}"
        elif isinstance(value, list):
            yield from (word for part in value for word in (flag, str(part)))
        else:
            # Without an exponent: a share of components wants its dot.
            yield from (flag, format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value))


def command_name(run: RunCommand | ScoreCommand) -> str:
    """``run`` or ``score``."""
    return "score" if isinstance(run, ScoreCommand) else "run"


def _rooms(run: RunCommand | ScoreCommand) -> Iterable[str]:
    """The rooms that are the job's own: those of ``submit`` stay here."""
    return (ScoreCommand if isinstance(run, ScoreCommand) else RunCommand).model_fields
