"""Params of Spark ML that are settings of rooms: their names, defaults and descriptions stand there alone."""

from collections.abc import Callable, Container, Iterator
from pathlib import PurePath
from typing import ClassVar, TypeVar

from pydantic.fields import FieldInfo
from pyspark.ml.param import Param, Params
from pyspark.sql.types import StructType

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.keywords import from_keywords
from fruits_pipeline.settings.room import Room

_Settings = TypeVar("_Settings", bound=Room)
_Stage = TypeVar("_Stage", bound="type[Flags]")


class Flags(Params):
    """A stage with params that are settings; see ``with_flags``."""

    flags: ClassVar[tuple[str, ...]] = ()

    def set_flags(self, settings: dict[str, object], kind: type[Room]) -> None:
        """Sets params by their names, and the defaults of all others.

        Raises:
            SettingsError: With every name that is no param, or every value that its setting does not take.
        """
        unknown = [name for name in settings if name not in self.flags]
        if unknown:
            raise SettingsError(f"{type(self).__name__} expects settings of {list(self.flags)}, found {unknown}")
        for name, field in _fields(kind):
            if name in self.flags and field.default is not None:
                self._setDefault(**{name: field.default})
        for name, value in settings.items():
            self.set(self.getParam(name), str(value) if isinstance(value, PurePath) else value)
        self.flags_as(kind)

    def flags_as(self, kind: type[_Settings]) -> _Settings:
        """The params as the settings ``kind``.

        Raises:
            SettingsError: With every value that its setting does not take.
        """
        return from_keywords(kind, {name: self.getOrDefault(name) for name in self.flags if self.isDefined(name)})


def with_flags(kind: type[Room], without: Container[str] = ()) -> Callable[[_Stage], _Stage]:
    """Gives a class a param for each setting of the rooms of ``kind`` but those of ``without``."""

    def with_params(stage: _Stage) -> _Stage:
        for name, field in _fields(kind):
            if name not in without:
                setattr(stage, name, Param(Params._dummy(), name, field.description or name))
                stage.flags += (name,)
        return stage

    return with_params


def _fields(kind: type[Room]) -> Iterator[tuple[str, FieldInfo]]:
    """The settings of the rooms of ``kind``, by name."""
    for field in kind.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Room):
            yield from field.annotation.model_fields.items()


def type_of(schema: StructType, column: str) -> str:
    """The type of a column, in Spark's short spelling.

    Raises:
        SettingsError: When there is no such column.
    """
    if column not in schema.names:
        raise SettingsError(f"expected a column {column!r}, found {schema.names}")
    return schema[column].dataType.simpleString()
