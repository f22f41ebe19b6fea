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
    monkeypatch.delenv("SPARK_CONF_DIR", raising=False)
    (tmp_path / "java").write_text(JAVA)
    (tmp_path / "java").chmod(0o755)
    shutil.copy(tmp_path / "java", tmp_path / "other")
    (tmp_path / "spark/jars").mkdir(parents=True)
    (tmp_path / "spark/jars/core.jar").write_bytes(b"jar")
    return tmp_path / "spark"


def java_options(java, spark_home, options="-Xmx1g", may_write=True):
    """As ``class_archive`` gives them, for a program of the test's folder."""
    program = str(spark_home.parent / java.program.strip("/"))
    return class_archive.java_options(Java(program, java.version, java.told), spark_home, options, may_write=may_write)


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


def test_the_same_java_of_another_build_has_an_archive_of_its_own(spark_home):
    seen = {archive_of(java_options(Java("/java", 17, told), spark_home)) for told in ("17.0.14", "17.0.15")}
    assert len(seen) == 2


def test_a_jvm_that_loads_only_some_classes_reads_an_archive_and_writes_none(spark_home):
    assert java_options(Java("/java", 17), spark_home, may_write=False) == ""
    archive = archive_of(java_options(Java("/java", 17), spark_home))
    write(archive, COMPLETE)
    assert archive_of(java_options(Java("/java", 17), spark_home, may_write=False)) == archive


@pytest.mark.parametrize("name", ["a cache", "ca'che", "ca:che", 'ca"che', "ca\\che"])
def test_a_cache_whose_name_an_option_cannot_hold_has_no_archive(spark_home, tmp_path, monkeypatch, name):
    monkeypatch.setenv("FRUITS_CACHE_DIR", str(tmp_path / name))
    assert java_options(Java("/java", 17), spark_home) == ""


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_class_path_with_files_has_no_archive(spark_home, tmp_path, monkeypatch, by_variable):
    folder = tmp_path / "conf" if by_variable else spark_home / "conf"
    folder.mkdir()
    if by_variable:
        monkeypatch.setenv("SPARK_CONF_DIR", str(folder))
    assert java_options(Java("/java", 17), spark_home) != ""
    (folder / "spark-defaults.conf").touch()
    assert java_options(Java("/java", 17), spark_home) == ""


def test_archives_from_which_nothing_has_started_for_a_month_are_deleted(spark_home):
    archive = Path(archive_of(java_options(Java("/java", 17), spark_home)))
    write(archive, COMPLETE, age_s=31 * 86_400)
    write(archive.with_name("old.jsa"), COMPLETE, age_s=31 * 86_400)
    write(archive.with_name("new.jsa"), COMPLETE, age_s=86_400)
    assert archive_of(java_options(Java("/java", 17), spark_home)) == str(archive)
    java_options(Java("/other", 17), spark_home)
    assert sorted(file.name for file in archive.parent.iterdir()) == sorted([archive.name, "new.jsa"])


def test_options_without_the_archive_that_did_not_start(spark_home):
    archive = archive_of(java_options(Java("/java", 17), spark_home))
    write(archive, COMPLETE)
    options = f"-Xmx1g {java_options(Java('/java', 17), spark_home)} -Dx=y"
    assert class_archive.without_archive(options).split() == ["-Xmx1g", "-Xshare:auto", "-Xlog:disable", "-Dx=y"]
    assert not Path(archive).exists()
    assert class_archive.without_archive("-Xmx1g") == "-Xmx1g"


@pytest.mark.parametrize("version", [8, 11])
def test_a_java_that_cannot_write_one_is_not_asked_to(spark_home, version):
    assert java_options(Java("/java", version), spark_home) == ""


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(spark_home, tmp_path):
    (tmp_path / "cache").write_bytes(b"a file in place of the folder")
    assert java_options(Java("/java", 17), spark_home) == ""
