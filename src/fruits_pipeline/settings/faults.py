"""The words in which a wrong setting is told: what was expected, what was found, and what was perhaps meant."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from cyclopts import CycloptsError
from cyclopts.exceptions import CoercionError, MissingArgumentError, RepeatArgumentError, UnknownCommandError

PREFIX: Final = "FRUITS_"
# What a URL may hold before its host.
_PASSWORD: Final = re.compile(r"//[^/\s]*@")
_PREFACES: Final = ("Value error, ", "Input should be ", "String should have ", "expected ")
# What pydantic expects, in words that need no Python.
_PLAIN: Final = {
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "true or false",
    "a valid string": "text",
    "a valid tuple": "a list",
    "at least 1 character": "text that is not empty",
}


def flag_of(setting: str) -> str:
    """The flag of a setting.

    >>> flag_of("data_source")
    '--data-source'
    """
    return "--" + setting.replace("_", "-")


def setting_of(flag: str) -> str:
    """The setting of a flag.

    >>> setting_of("--data-source")
    'data_source'
    """
    return flag.lstrip("-").replace("-", "_")


def variable_of(setting: str) -> str:
    """The environment variable of a setting.

    >>> variable_of("data_source")
    'FRUITS_DATA_SOURCE'
    """
    return PREFIX + setting.upper()


def meant(name: str, known: Iterable[str]) -> str:
    """The known name that was perhaps meant, as the end of a sentence; empty where none is alike.

    >>> meant("--data-sorce", ["--data-source", "--sample"]), meant("--verbose", ["--sample"])
    ('; did you mean --data-source?', '')
    """
    return next((f"; did you mean {near}?" for near in get_close_matches(name, known, n=1, cutoff=0.7)), "")


def shown(value: object) -> str:
    """A value as messages have it: without what a URL holds before its host, which may be a password.

    >>> shown("https://me:secret@host")
    "'https://...@host'"
    """
    return _PASSWORD.sub("//...@", repr(value))


def expectation(message: str) -> str:
    """What pydantic's message expects, without its preface.

    >>> expectation("Input should be greater than or equal to 1")
    'a number greater than or equal to 1'
    >>> expectation("Input should be a valid boolean, unable to interpret input")
    'true or false'
    """
    said = message.partition(", unable to ")[0]
    for preface in _PREFACES:
        said = said.removeprefix(preface)
    return f"a number {said}" if said.startswith(("greater", "less")) else _PLAIN.get(said, said)


def told(error: CycloptsError, commands: Iterable[str]) -> str:
    """A command line that cannot be taken apart, in one sentence.

    Args:
        error: What cyclopts says of it.
        commands: The names of all commands, in the order of the work.
    """
    match error:
        case UnknownCommandError(unused_tokens=[word, *_]):
            return _unknown(word, error, list(commands))
        case MissingArgumentError(argument=argument) if argument is not None:
            return f"{error.keyword or argument.name}: expected a value behind it, found none"
        case RepeatArgumentError():
            return f"{error.token.keyword}: expected it once, found it several times"
        case CoercionError(token=token) if token is not None and error.target_type is bool:
            return f"{token.keyword}: expected true or false, found {token.value!r}"
        case CoercionError(token=token) if token is not None and error.argument is not None:
            name = error.argument.name
            where = name if token.source == "cli" else f"{setting_of(name)} in {token.source}"
            return f"{where}: expected one value, found {token.value}"
    return str(error).strip().splitlines()[-1].partition("  Parsed: ")[0]


def _unknown(word: str, error: CycloptsError, commands: list[str]) -> str:
    """Names the commands of the level at which there is none of that name."""
    above = "".join(f"{one} " for one in error.command_chain or ())
    below = [name.removeprefix(above) for name in commands if name.startswith(above)]
    names = list(dict.fromkeys(name.split()[0] for name in below))
    return f"{above}{word}: no such command" + (meant(word, names) or f"; there are {', '.join(names)}")
