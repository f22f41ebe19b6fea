"""Spark properties of the user's own, and which of the job's they do not replace."""

import logging
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

log = logging.getLogger(__name__)

# Keys whose values are secrets, as Spark's own spark.redaction.regex has them.
_SECRET: Final = re.compile(r"secret|password|token|access[.]?key", re.IGNORECASE)
# With other values results would differ, labels would change their type, or Python would not start.
NEEDED: Final = frozenset(
    {
        "spark.sql.session.timeZone",
        "spark.sql.execution.arrow.pyspark.enabled",
        "spark.sql.parquet.outputTimestampType",
        "spark.sql.sources.partitionColumnTypeInference.enabled",
        "spark.hadoop.fs.gs.create.items.conflict.check.enable",
    }
)


def spark_property(text: str) -> str:
    """KEY=VALUE as ``spark-submit --conf`` takes it.

    Raises:
        ValueError: When it has another form.

    >>> spark_property("spark.ui.enabled=true")
    'spark.ui.enabled=true'
    """
    if not re.fullmatch(r"spark\.[^\s=]+=.*", text, re.DOTALL):
        raise ValueError("expected KEY=VALUE with a key of Spark, such as spark.sql.shuffle.partitions=400")
    return text


def redacted(text: str) -> str:
    """KEY=VALUE as it may be told: without a value that its key calls a secret.

    >>> redacted("spark.hadoop.fs.s3a.secret.key=abc"), redacted("spark.a=1")
    ('spark.hadoop.fs.s3a.secret.key=(redacted)', 'spark.a=1')
    """
    key = text.partition("=")[0]
    return f"{key}=(redacted)" if is_secret(key) else text


def is_secret(key: str) -> bool:
    """Whether a key says that its value is a secret."""
    return _SECRET.search(key) is not None


def as_properties(given: Iterable[str]) -> dict[str, str]:
    """Properties by key; of equal keys the last one counts, as in ``spark-submit``.

    >>> as_properties(["spark.a=1", "spark.a=x=y"])
    {'spark.a': 'x=y'}
    """
    return {key: value for key, _, value in (text.partition("=") for text in given)}


def with_own(ours: Mapping[str, str], own: Mapping[str, str], needed: Collection[str] = NEEDED) -> dict[str, str]:
    """``ours``, replaced by the user's ``own`` except where a key is ``needed``, of which a warning tells.

    >>> with_own({"spark.a": "1", "spark.b": "2"}, {"spark.a": "3", "spark.c": "4"})
    {'spark.a': '3', 'spark.b': '2', 'spark.c': '4'}
    """
    for key in sorted(own.keys() & needed):
        if own[key] != ours.get(key):
            told = redacted(f"{key}={own[key]}")
            log.warning("%s is not taken: the job needs %s", told, ours.get(key, "a value of its own"))
    return {**ours, **{key: value for key, value in own.items() if key not in needed}}
