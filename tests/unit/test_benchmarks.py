"""The benchmark's arithmetic and its catalogue; the lines themselves are run by ``make bench``."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
FACTS = {
    "date": "2026-01-01T00:00+00:00",
    "commit": "abc",
    "processor": "some",
    "cores": 2,
    "flags": ["avx2"],
    "load_before": 0.1,
    "python": "3.11",
    "versions": {"pyspark": "3.5.8", "ray": None},
}


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("report")


def row(number: int, line: str, rate: float) -> dict[str, object]:
    return {
        "round": number, "line": line, "images_per_s": rate, "images": 9, "startup_s": 1.0, "worker_peak_mb": None,
    }  # fmt: skip  # because a row is best read on a line


def test_ratios_are_taken_within_each_round(report):
    rounds = [row(1, "f-f32", 100), row(1, "a", 10), row(2, "f-f32", 30), row(2, "a", 5), row(3, "f-f32", 99)]
    assert report.ratios(rounds, "f-f32", "a") == [10.0, 6.0]


def test_the_page_says_what_was_reached_missed_skipped_and_failed(report):
    rounds = [
        row(1, "f-f32", 100),
        row(1, "a", 10),
        row(1, "e", 200),
        {"round": 1, "line": "f-int8", "skipped": "no int8 model"},
        {"round": 1, "line": "d", "failed": "exit 1: out of memory"},
    ]
    figures = [
        {"what": "first row", "found": 16, "unit": "s", "at_most": 15},
        {"what": "accuracy", "found": 99.2, "unit": "%"},
        {"what": "waves", "failed": "exit 1: no"},
    ]
    page = report.report(FACTS, rounds, figures)
    assert "| ours f32 / (a) | 8 | 10 (10 to 10) | reached |" in page
    assert "| ours f32 / (e) | 1 | 0.5 (0.5 to 0.5) | missed |" in page
    assert "not asked: no amx_bf16 here" in page
    assert "(f-int8) ours, int8 | skipped: no int8 model |" in page
    assert "| failed: exit 1: out of memory |" in page
    assert "| first row | at most 15 | 16 s | missed |" in page
    assert "| accuracy | reported | 99.2 % |  |" in page
    assert "| waves | | failed: exit 1: no | not measured |" in page
    assert "pyspark 3.5.8." in page


def test_every_line_and_every_script_has_its_file(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    catalog = importlib.import_module("catalog")
    assert [
        line.module for line in catalog.LINES.values() if not (BENCHMARKS / "lines" / f"{line.module}.py").is_file()
    ] == []
    assert [name for name in catalog.SCRIPTS if not (BENCHMARKS / f"{name}.py").is_file()] == []
    assert all(line.long > line.short for line in catalog.LINES.values())
    assert all(line.bound in {None, *catalog.LINES} for line in catalog.LINES.values())
