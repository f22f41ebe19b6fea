"""Where settings come from beside flags, and every fault in them, told at once.

A flag beats a ``FRUITS_`` variable, a variable beats the flat JSON file of ``--config``, that beats the default.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cyclopts import App, ArgumentCollection, Token
from cyclopts.config import Dict, Env
from pydantic import ValidationError

from fruits_pipeline.settings.commands import ALL, Command
from fruits_pipeline.settings.faults import PREFIX, expectation, flag_of, meant, setting_of, shown, variable_of

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
        self._of_file: dict[str, str] = {}

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        """Adds values for the command's settings that no flag gave; cyclopts calls it before it converts."""
        mine = tuple(setting_of(name) for argument in arguments for name in argument.names)
        known = known_settings()
        for flag in (flag for flag in self._flags if setting_of(flag) not in mine):
            self.faults.append(_no_flag(flag, mine, " ".join(commands)))
        for name in (name for name in sorted(os.environ) if name.startswith(PREFIX)):
            if name.removeprefix(PREFIX).lower() not in known:
                self.faults.append(f"{name}: no such setting{meant(name, map(variable_of, known))}")
        Env(PREFIX, command=False)(app, commands, arguments)
        config = arguments.match("--config")[0]
        for token in config.tokens[-1:]:
            own = self._own(token.value, mine)
            self._of_file = dict.fromkeys(own, token.value)
            Dict(_below(commands, own), source=token.value)(app, commands, arguments)
        for argument in arguments:
            if argument.required and not argument.has_tokens and argument.name.startswith("--"):
                variable = variable_of(setting_of(argument.name))
                self.faults.append(f"{argument.name} is required: give the flag, or set {variable}")
                argument.append(Token(keyword=argument.name, value=_MISSING, source="missing"))

    def invalid(self, error: ValidationError) -> None:
        """Notes each value that its setting does not take, by the name of what it was given with."""
        for fault in error.errors():
            name = next(str(part) for part in reversed(fault["loc"]) if part in known_settings())
            if fault["input"] != _MISSING:
                found = shown(fault["input"])
                self.faults.append(f"{self._given_by(name)}: expected {expectation(fault['msg'])}, found {found}")

    def _given_by(self, setting: str) -> str:
        """The flag, the variable, or the key of the file that gave a setting its value."""
        flag, variable = flag_of(setting), variable_of(setting)
        if flag in {flag_of(setting_of(one)) for one in self._flags}:
            return flag
        return variable if variable in os.environ else f"{setting} in {self._of_file.get(setting, 'the settings')}"

    def _own(self, path: str, mine: tuple[str, ...]) -> dict[str, Any]:
        """The settings of a file that are the command's, and that are values or lists of these."""
        content, known = self._file(path), known_settings()
        self.faults += [
            f"{name} in {path}: no such setting{meant(name, known)}" for name in content if name not in known
        ]
        own = {key: value for key, value in content.items() if key in mine and value is not None}
        for key in [key for key, value in own.items() if not _is_flat(value)]:
            self.faults.append(f"{key} in {path}: expected a value or a list of values, found {own.pop(key)!r}")
        return own

    def _file(self, path: str) -> dict[str, Any]:
        """The content of a settings file; empty where it cannot be used, which is noted."""
        found = "nothing there"
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            content = None
        except (OSError, ValueError) as error:
            content, found = None, f"one that cannot be read: {error}"
        else:
            found = f"a {type(content).__name__}"
        if isinstance(content, dict):
            return content
        self.faults.append(
            f'--config {path}: expected a file of one JSON object, such as {{"components": 100}}, found {found}'
        )
        return {}


def _no_flag(flag: str, mine: tuple[str, ...], command: str) -> str:
    """Says of a flag that the command does not have whose it is, or what was perhaps meant."""
    if setting_of(flag) in known_settings():
        return _elsewhere(setting_of(flag), command)
    return f"{flag}: no such flag of {command}{meant(flag, map(flag_of, mine))}"


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
    return f"{flag_of(setting)} is no flag of {command}, but of {last}"


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
