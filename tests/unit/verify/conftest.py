"""Outputs to be broken, and what ``verify`` says of them."""

import re

import pytest

from fruits_pipeline.cli import main
from whole_output import packed_output, whole_output


@pytest.fixture
def output(tmp_path):
    """The folder of the output."""
    return tmp_path / "out"


@pytest.fixture
def store(output):
    """A whole output."""
    return whole_output(output)


@pytest.fixture
def pack(output):
    """A whole pack."""
    return packed_output(output)


@pytest.fixture
def verify(output, capsys):
    """Runs ``verify``, and gives exit code, the lines on stdout, and the last line on stderr."""

    def run(*flags):
        code = main(["verify", "--output-uri", str(output), "--log-level", "ERROR", *flags])
        said = capsys.readouterr()
        return code, said.out.splitlines(), (said.err.splitlines() or [""])[-1]

    return run


@pytest.fixture
def told(verify, golden, output):
    """Compares what ``verify`` says of a faulty output with a golden text, and gives the summary line.

    Digests and lengths follow from the version of pyarrow: the text has ``{hash}`` and ``{length}`` for them.
    """

    def check(name, *flags, code=5, **places):
        found, lines, error = verify(*flags)
        assert found == code
        *findings, summary = lines
        assert summary.startswith("not whole: " if code else "whole: ")
        text = re.sub(r"\b[0-9a-f]{64}\b", "{hash}", "\n".join([*findings, error]))
        golden(f"verify_{name}", re.sub(r"\b\d+ bytes", "{length} bytes", text), output=f"file://{output}", **places)
        return summary

    return check
