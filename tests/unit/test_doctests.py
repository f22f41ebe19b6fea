"""The examples in docstrings say what the code does; those of modules that need Spark run with Spark's tests."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import fruits_pipeline

# An example that a reader of the code could run: not one that needs an output first.
RUNNABLE = re.compile(r"^ *>>> (?!.*doctest: \+SKIP)", re.MULTILINE)
SOURCE = Path(fruits_pipeline.__path__[0])
WITH_EXAMPLES = [
    file.relative_to(SOURCE.parent).with_suffix("").as_posix().replace("/", ".")
    for file in sorted(SOURCE.rglob("*.py"))
    if RUNNABLE.search(text := file.read_text(encoding="utf-8")) and "pyspark" not in text
]


def test_there_are_modules_with_examples():
    assert {"fruits_pipeline.schemas", "fruits_pipeline.storage.uri"} <= set(WITH_EXAMPLES)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_of_a_module_hold(module):
    told = doctest.testmod(importlib.import_module(module), raise_on_error=True)
    assert told.attempted > 0
