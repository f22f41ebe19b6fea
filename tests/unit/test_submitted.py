"""Stderr under spark-submit: the JVM's, in UTF-8, and this process's own where the JVM does not answer."""

import sys

import pytest

from fruits_pipeline.session import submitted


def test_outside_of_spark_submit_it_is_that_of_the_process(monkeypatch):
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    assert submitted.stderr() is sys.stderr


@pytest.fixture
def stream(monkeypatch):
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    return submitted.stderr()


def test_a_line_goes_to_the_jvm_as_it_is(stream, monkeypatch, capsys):
    written = []

    class Err:
        def write(self, content, start, length):
            written.append(content[start : start + length])

    monkeypatch.setattr(submitted, "_system_err", Err)
    print("label=日本", file=stream)
    assert b"".join(written) == "label=日本\n".encode()
    assert capsys.readouterr().err == ""


def test_a_line_is_not_lost_where_the_jvm_is(stream, monkeypatch, capsys):
    def lost():
        raise ConnectionError

    monkeypatch.setattr(submitted, "_system_err", lost)
    print("error: lost", file=stream)
    assert capsys.readouterr().err == "error: lost\n"
