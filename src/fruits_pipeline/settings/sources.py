"""Where settings come from beside flags, and every fault in them, told at once.

A flag beats a ``FRUITS_`` variable, a variable beats the flat JSON file of ``--config``, that beats the default.
"""

import json
import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cyclopts import App, ArgumentCollection, Token
from cyclopts.config import Dict, Env
from pydantic import ValidationError

from fruits_pipeline.settings.commands import ALL, Command

PREFIX = "FRUITS_"
# What a URL may hold before its host.
_PASSWORD = re.compile(r"//[^/\s]*@")
# Stands for a required value that is missing, so that the other values are checked all the same;
# no command line or environment can hold it.
_MISSING = "\0"


def known_settings() -> tuple[str, ...]:
    """The settings of all commands: one file and one environment serve them all."""
    names: dict[str, None] = {}
    for command in ALL.values():
        names |= dict.fromkeys(_fields(command))
    return tuple(names)


def _fields(command: type[Command]) -> Iterable[str]:
    rooms = (field.annotation for field in command.model_fields.values())
    return (name for room in rooms if room is not None for name in room.model_fields)


class Sources:
    """Fills in what flags leave open, and gathers every fault on the way."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """``tokens`` is the command line."""
        self.faults: list[str] = []
        self._flags = [token.partition("=")[0] for token in tokens if token.startswith("--")]

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        """Adds values for the command's settings that no flag gave; cyclopts calls it before it converts."""
        mine = tuple(_setting(name) for argument in arguments for name in argument.names)
        known = known_settings()
        flags = [_setting(flag) for flag in self._flags if _setting(flag) not in mine]
        self.faults += [_elsewhere(flag, " ".join(commands)) for flag in flags if flag in known]
        self._unknown((flag for flag in flags if flag not in known), mine, "command line")
        prefixed = (key.removeprefix(PREFIX).lower() for key in sorted(os.environ) if key.startswith(PREFIX))
        self._unknown(prefixed, known, f"environment {PREFIX}*")
        Env(PREFIX, command=False)(app, commands, arguments)
        config = arguments.match("--config")[0]
        for token in config.tokens[-1:]:
            content = self._file(token.value)
            self._unknown(content, known, f"--config {token.value}")
            own = {key: value for key, value in content.items() if key in mine and value is not None}
            for key in [key for key, value in own.items() if not _is_flat(value)]:
                self.faults.append(f"{_flag(key)}: expected a value or a list of values, found {own.pop(key)!r}")
            Dict(_below(commands, own), source=token.value)(app, commands, arguments)
        for argument in arguments:
            if argument.required and not argument.has_tokens and argument.name.startswith("--"):
                self.faults.append(f"{argument.name} is required: give the flag, or set {_variable(argument.name)}")
                argument.append(Token(keyword=argument.name, value=_MISSING, source="missing"))

    def _unknown(self, names: Iterable[str], known: tuple[str, ...], where: str) -> None:
        """Notes each name that is no setting, with the nearest one that is."""
        for name in names:
            if name not in known:
                nearest = get_close_matches(name, known, n=1, cutoff=0)[0]
                self.faults.append(f"{where}: unknown setting {name!r}; the nearest known one is {nearest!r}")

    def invalid(self, error: ValidationError) -> None:
        """Notes each value that its setting does not take."""
        for fault in error.errors():
            name = next(str(part) for part in reversed(fault["loc"]) if part in known_settings())
            if fault["input"] != _MISSING:
                found = shown(fault["input"])
                self.faults.append(f"{_flag(name)}: expected {expectation(fault['msg'])}, found {found}")

    def _file(self, path: str) -> dict[str, Any]:
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self.faults.append(f"--config: expected a JSON file at {path!r}, found {error}")
            return {}
        if not isinstance(content, dict):
            self.faults.append(f"--config: expected one flat JSON object in {path!r}, found {type(content).__name__}")
            return {}
        return content


def _elsewhere(setting: str, command: str) -> str:
    """Says that a flag is one of other commands.

    >>> _elsewhere("train_split", "extract")
    '--train-split is no flag of extract, but of demo, run, reduce and all of submit'
    """
    others = [name for name, kind in ALL.items() if setting in _fields(kind)]
    own = [name for name in others if not name.startswith("submit ")]
    own += (
        ["all of submit"]
        if sum(name.startswith("submit ") for name in ALL) == len(others) - len(own)
        else others[len(own) :]
    )
    last = " and ".join(filter(None, [", ".join(own[:-1]), own[-1]]))
    return f"{_flag(setting)} is no flag of {command}, but of {last}"


def _below(commands: tuple[str, ...], settings: dict[str, Any]) -> dict[str, Any]:
    """The settings below their command's names: of a flat mapping cyclopts ignores keys that are names of commands.

    >>> _below(("submit", "emr"), {"bundle": "my_folder"})
    {'submit': {'emr': {'bundle': 'my_folder'}}}
    """
    for command in reversed(commands):
        settings = {command: settings}
    return settings


def _is_flat(value: object) -> bool:
    """Whether a JSON value is text, a number, true or false, or a list of these."""
    return all(isinstance(one, str | int | float) for one in (value if isinstance(value, list) else [value]))


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
    """
    said = message.partition(", unable to ")[0]
    for preface in ("Value error, ", "Input should be ", "String should have ", "String should match ", "expected "):
        said = said.removeprefix(preface)
    return f"a number {said}" if said.startswith(("greater", "less")) else said


def _setting(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


def _flag(setting: str) -> str:
    return "--" + setting.replace("_", "-")


def _variable(flag: str) -> str:
    return PREFIX + _setting(flag).upper()
