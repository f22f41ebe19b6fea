"""A command line, with the environment and the settings file, to a command that is ready to be called."""

from collections.abc import Callable
from inspect import BoundArguments

from cyclopts import App, CycloptsError
from pydantic import ValidationError

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.commands import ALL
from fruits_pipeline.settings.faults import told
from fruits_pipeline.settings.sources import Sources


def parsed(app: App, tokens: list[str]) -> tuple[Callable[..., object], BoundArguments]:
    """The command of ``app`` that ``tokens`` ask for, with its arguments.

    Raises:
        SettingsError: With every fault of the command line, the environment and the settings file.
    """
    sources = Sources(tokens)
    app.config = (sources,)
    try:
        call, bound, unused, _ = app.parse_known_args(tokens or ["--help"])
    except CycloptsError as error:
        if isinstance(error.__cause__, ValidationError):
            sources.invalid(error.__cause__)
        else:
            sources.faults.append(told(error, ALL))
        raise _wrong(sources.faults) from error
    bound.apply_defaults()
    if unused and not unused[0].startswith("--"):
        sources.faults.append(_stray(unused[0]))
    if sources.faults:
        raise _wrong(sources.faults)
    return call, bound


def in_order(app: App) -> None:
    """Makes ``--help`` list the commands of ``app`` in the order of the work."""
    for place, words in enumerate(ALL):
        below = app
        for word in words.split():
            below = below[word]
            below.sort_key = below.sort_key or place + 1


def _stray(word: str) -> str:
    """Says what to do about a word that belongs to no flag.

    >>> _stray("photos")
    "'photos': expected a flag before it, as in --data-source photos; flags that are switches take no value"
    """
    if word.startswith("-"):
        return f"{word}: no such flag; flags begin with two dashes, and --help lists them"
    return f"{word!r}: expected a flag before it, as in --data-source photos; flags that are switches take no value"


def _wrong(faults: list[str]) -> SettingsError:
    return SettingsError("\n  ".join(["wrong settings", *faults]) + "\nCOMMAND --help lists all settings of a command")
