"""Figures: names of labels stay text, mistakes stand together, equal figures are equal bytes."""

import logging
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.report.confusion_order import MOST_LABELS, cells_of, spectral_order
from fruits_pipeline.report.plots import component_map, confusion_map, variance_curve
from page_outputs import HOSTILE


def texts(svg, tag="text"):
    root = ET.fromstring(str(svg))  # noqa: S314 because we have just written it
    return [element.text for element in root.iter() if element.tag.endswith(f"}}{tag}")]


def points(labels, each=5):
    rng = np.random.default_rng(1)
    rows = [{"label": label, "first": x, "second": y} for label in labels for x, y in rng.normal(0, 1, (each, 2))]
    return pa.Table.from_pylist(rows, schemas.MAP)


def test_names_of_labels_are_written_as_they_are(caplog):
    caplog.set_level(logging.DEBUG)
    svg = confusion_map(cells_of([(one, other, 3) for one in HOSTILE for other in HOSTILE if one != other]))
    assert {"$x_1^2$", "Ünïcødé 果物"} <= set(texts(svg))
    assert "<img" not in str(svg).replace("&lt;img", "")
    assert any("$x_1^2$ taken for Ünïcødé 果物: 3 images" in title for title in texts(svg, "title"))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_map_colours_the_commonest_labels_and_counts_the_others():
    svg = component_map(points([*HOSTILE, *map(str, range(20))]))
    assert "17 other labels" in texts(svg)
    assert "<image" not in str(svg)


@pytest.mark.parametrize(("each", "pictured"), [(300, True), (2, False)])
def test_many_points_are_one_picture_of_bounded_size(each, pictured):
    svg = str(component_map(points(["kiwi", "plum", None], each)))
    assert ("<image" in svg) == pictured
    assert "data:image/png" in svg if pictured else "data:" not in svg
    assert len(svg) < 200_000


@pytest.mark.parametrize("components", [1, 2, 3, 900])
def test_a_variance_curve_has_its_cut_where_it_is_known(components):
    rows = [{"component": n + 1, "cumulative_ratio": share} for n, share in enumerate((0.5, 0.75, 1.0))]
    table = pa.Table.from_pylist(rows, schemas.VARIANCE)
    told = [text for text in texts(variance_curve(table, components)) if "kept" in text]
    assert len(told) == (components <= 3)


def test_equal_figures_are_equal_bytes_and_take_their_colours_from_the_page():
    cells = cells_of([("a", "b", 1), ("b", "c", 2), ("d", "a", 9)])
    assert confusion_map(cells) == confusion_map(cells)
    text = str(confusion_map(cells))
    assert "var(--ink)" in text
    assert "#0a0b0c" not in text
    assert "font-family" not in text
    assert "DejaVu" not in text


def test_labels_that_are_taken_for_each_other_stand_together():
    names = [f"{kind}{n}" for n in range(4) for kind in "ab"]
    pairs = [(f"{kind}{n}", f"{kind}{n + 1}", 5) for n in range(3) for kind in "ab"]
    found = cells_of([*pairs, ("a3", "b0", 1), *((name, name, 50) for name in names)])
    assert "".join(name[0] for name in found.labels) in {"aaaabbbb", "bbbbaaaa"}
    assert [name[1] for name in found.labels] in (list("01230123"), list("32103210"))
    assert (found.total, found.mistakes, int(np.trace(found.counts))) == (8, 31, 0)


def test_only_labels_with_most_mistakes_are_shown_of_very_many():
    pairs = [(f"l{n}", f"l{(n + 1) % 500}", 1 + (n < 10)) for n in range(500)]
    found = cells_of(pairs)
    assert (len(found.labels), found.total, found.mistakes) == (MOST_LABELS, 500, 510)
    assert {f"l{n}" for n in range(1, 10)} <= set(found.labels)
    assert len(str(confusion_map(found))) < 300_000


def test_no_mistake_is_no_map_and_an_order_has_each_label_once():
    assert cells_of([]) is None
    assert cells_of([("a", "a", 3), ("a", "b", 0)]) is None
    rng = np.random.default_rng(2)
    for size in (1, 2, 7, 40):
        counts = rng.integers(0, 2, (size, size)) * rng.integers(0, 2, (size, size))
        assert sorted(spectral_order(counts)) == list(range(size))


def test_labels_of_the_map_are_told_apart_by_their_whole_names():
    labels = ["_hidden", "none", None, "kiwi that is very long and red", "kiwi that is very long but red"]
    told = texts(component_map(points(labels)))
    assert {"_hidden", "none", "(no label)"} <= set(told)
    assert len([text for text in told if text and text.startswith("kiwi that")]) == 2


def test_labels_that_look_like_styles_are_left_as_they_are():
    names = ["font-family: kiwi", "#0a0b0c", '"; font-family: fig;']
    told = texts(confusion_map(cells_of([(one, other, 1) for one in names for other in names if one != other])))
    assert set(names[:2]) <= set(told)
    assert names[2] in told
