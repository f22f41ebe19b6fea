"""Errors and their exit codes; logs as lines of text."""

import inspect
import logging
import re
import time

import pytest

from fruits_pipeline import errors, logs


def named(module, name, *bases):
    """An exception class as another package defines it."""
    return type(name, bases, {"__module__": module})


SPARK = named("pyspark.errors.exceptions.base", "PySparkException", Exception)
IN_WORKER = named("pyspark.errors.exceptions.captured", "PythonException", SPARK)
PY4J = named("py4j.protocol", "Py4JJavaError", named("py4j.protocol", "Py4JError", Exception))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (errors.SettingsError(), 2),
        (errors.InputError(), 3),
        (errors.ModelError(), 4),
        (errors.DatasetError(), 5),
        (errors.StorageError(), 7),
        (KeyboardInterrupt(), 130),
        (SystemExit(143), 143),
        (OSError(), 7),
        (ConnectionResetError(), 7),
        (SPARK(), 7),
        (PY4J(), 7),
        (named("pyspark.errors.exceptions.captured", "AnalysisException", SPARK)(), 7),
        (IN_WORKER(), 70),
        (ValueError(), 70),
        (named("mine.pyspark", "PySparkException", Exception)(), 70),
    ],
)
def test_each_kind_of_end_has_its_exit_code(error, code):
    assert errors.exit_code(error) == code


JOB_ABORTED = """An error occurred while calling o9.parquet.
: org.apache.spark.SparkException: Job aborted.
\tat a.b(c)
Driver stacktrace:
\tat d.e(f)
Caused by: java.io.IOException: No space left on device
\tat g.h(i)
\t... 1 more"""
NO_PATH = "[PATH_NOT_FOUND] Path does not exist: file:/x."


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (JOB_ABORTED, "java.io.IOException: No space left on device"),
        (JOB_ABORTED.partition("Driver")[0], "org.apache.spark.SparkException: Job aborted."),
        (f"{NO_PATH}\nmore", NO_PATH),
        ("", "ValueError"),
    ],
)
def test_the_root_cause_of_a_failure_of_spark_is_told(text, cause):
    assert errors.root_cause(ValueError(text)) == cause


def test_every_error_has_a_code_of_its_own_and_says_when_it_is_raised():
    kinds = errors.FruitsError.__subclasses__()
    assert [kind.exit_code for kind in kinds if kind is not errors.JobError] == [2, 3, 4, 5, 6, 7]
    assert all(inspect.getdoc(kind).startswith("When ") for kind in kinds)


@pytest.fixture
def package_logger():
    """The package's logger, put back as it was."""
    logger = logging.getLogger("fruits_pipeline")
    before = logger.handlers, logger.propagate, logger.level
    yield logger
    logger.handlers, logger.propagate = before[:2]
    logger.setLevel(before[2])


def test_a_log_line_has_time_level_room_and_message_once_on_stderr(capsys, package_logger):
    logs.configure("DEBUG")
    logs.configure("INFO")
    assert not package_logger.propagate
    assert package_logger.handlers[0].formatter.converter is time.gmtime
    room = logging.getLogger("fruits_pipeline.ingest.plan_waves")
    room.info("manifest found=%d", 3)
    room.debug("not asked for")
    package_logger.warning("itself")
    said = capsys.readouterr()
    first, second = said.err.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO ingest: manifest found=3", first)
    assert second.endswith("Z WARNING fruits_pipeline: itself")
    assert said.out == ""
