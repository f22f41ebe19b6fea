"""Settings of the process: Spark's memory on a laptop, logs, the settings file."""

import re
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from fruits_pipeline.settings.rates import checked_rates
from fruits_pipeline.settings.room import Incidental, Room
from fruits_pipeline.settings.spark_conf import redacted, spark_property

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
_UPPER = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)


def _memory(value: str) -> str:
    """A size as Java takes it, in megabytes or gigabytes."""
    if not re.fullmatch(r"[1-9]\d*[mgMG]", value):
        raise ValueError("expected a size such as 4g or 512m")
    return value


Memory = Annotated[str, AfterValidator(_memory)]


class SessionSettings(Room):
    """What the job needs from its surroundings."""

    driver_memory: Annotated[Memory, Incidental] = Field(
        "4g",
        description="Java heap of Spark's driver, on this machine and by 'submit'; under spark-submit set it there.",
    )
    spark_conf: Annotated[
        tuple[Annotated[str, AfterValidator(spark_property)], ...],
        # What is written as JSON, such as run.json, holds no secret.
        PlainSerializer(lambda given: [redacted(text) for text in given], when_used="json"),
        Incidental,
        Parameter(negative="", show_default=False),
    ] = Field(
        (),
        description="Spark property KEY=VALUE, as of spark-submit --conf; repeatable. Those that the job needs to be "
        "right are not replaced, and a warning says so.",
    )
    rates: Annotated[Annotated[str, AfterValidator(checked_rates)] | None, Incidental, Parameter(show=False)] = Field(
        None, description="Prices of what the job rents, which 'submit' gives it; run.json then has its cost."
    )
    log_level: Annotated[LogLevel, _UPPER, Incidental] = Field("INFO", description="Least severe log lines to show.")
    config: Annotated[Path | None, Incidental, Parameter(name="--config")] = Field(
        None, description='JSON file of settings, such as {"components": 100}; flags and FRUITS_ variables override it.'
    )
