"""Which options a JVM of ours gets for its archive of classes; no JVM is started here."""

import os
import shutil
import time
from pathlib import Path

import pytest

from fruits_pipeline.session import class_archive
from fruits_pipeline.session.java import Java

COMPLETE = (0xF00BABA8).to_bytes(4, "little") + b"rest"
UNFINISHED = bytes(8)
# A Java that starts whatever it is asked, but for -Xfail.
JAVA = """#!/bin/sh
case "$*" in *-Xfail*) exit 1;; *ArchiveClassesAtExit*-version) exit 0;; esac
exit 2
"""


@pytest.fixture
def spark_home(tmp_path, monkeypatch):
    """A Spark with one jar, and an empty cache."""
    monkeypatch.setenv("FRUITS_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "java").write_text(JAVA)
    (tmp_path / "java").chmod(0o755)
    shutil.copy(tmp_path / "java", tmp_path / "other")
    (tmp_path / "spark/jars").mkdir(parents=True)
    (tmp_path / "spark/jars/core.jar").write_bytes(b"jar")
    return tmp_path / "spark"


def java_options(java, spark_home, options="-Xmx1g"):
    """As ``class_archive`` gives them, for a program of the test's folder."""
    program = str(spark_home.parent / java.program.strip("/"))
    return class_archive.java_options(Java(program, java.version), spark_home, options)


def archive_of(options):
    """The address of the archive that ``options`` name."""
    return options.rpartition("=")[2]


def write(path, content, age_s=0.0):
    Path(path).write_bytes(content)
    os.utime(path, (time.time() - age_s,) * 2)


def test_the_first_jvm_writes_an_archive_and_the_next_starts_from_it(spark_home):
    first = java_options(Java("/java", 17), spark_home)
    assert first.startswith("-Xshare:auto -Xlog:disable -XX:ArchiveClassesAtExit=")
    write(archive_of(first), COMPLETE)
    assert java_options(Java("/java", 17), spark_home) == (
        f"-Xshare:auto -Xlog:disable -XX:SharedArchiveFile={archive_of(first)}"
    )


def test_an_archive_that_is_being_written_is_left_alone_and_one_that_stayed_unfinished_is_written_again(spark_home):
    first = java_options(Java("/java", 17), spark_home)
    write(archive_of(first), UNFINISHED)
    assert java_options(Java("/java", 17), spark_home) == ""
    write(archive_of(first), UNFINISHED, age_s=700)
    assert java_options(Java("/java", 17), spark_home) == first


def test_another_java_and_other_jars_have_an_archive_of_their_own(spark_home):
    seen = {java_options(Java("/java", 17), spark_home), java_options(Java("/other", 17), spark_home)}
    (spark_home / "jars/core.jar").write_bytes(b"newer jar")
    seen.add(java_options(Java("/java", 17), spark_home))
    (spark_home / "jars/more.jar").write_bytes(b"jar")
    seen.add(java_options(Java("/java", 17), spark_home))
    assert len({archive_of(options) for options in seen}) == 4


def test_a_jvm_that_would_not_start_so_is_not_asked_to_write_one(spark_home):
    assert java_options(Java("/java", 17), spark_home, "-Xfail") == ""
    assert java_options(Java("/none", 17), spark_home) == ""
    assert list((spark_home.parent / "cache/java").iterdir()) == []


@pytest.mark.parametrize("version", [8, 11])
def test_a_java_that_cannot_write_one_is_not_asked_to(spark_home, version):
    assert java_options(Java("/java", version), spark_home) == ""


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(spark_home, tmp_path):
    (tmp_path / "cache").write_bytes(b"a file in place of the folder")
    assert java_options(Java("/java", 17), spark_home) == ""
