"""The figures of the page, as SVG; amounts by cividis, labels by Petroff's colours (arXiv 2107.02270) and a marker."""

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from markupsafe import Markup

from fruits_pipeline.report.confusion_order import Cells
from fruits_pipeline.report.svg import ACCENT, INK, LINE, MUTED, drawing, inline
from fruits_pipeline.report.words import clean, images, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

# Petroff's ten but for its greys.
_COLOURS: Final = ("#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#92dadd")
_MARKERS: Final = "osD^v<>P"
_OTHER: Final = "#94a4a2"
# More points than these are drawn as one picture inside the SVG.
_MOST_VECTORS: Final = 600
_DPI: Final = 144
# Narrow enough for a phone, where they are shown a little smaller.
_WIDTH_IN: Final = 4.9
_MAP_NAME: Final = 22
# Points of one row of the confusion map, of few labels and of many.
_ROW_PT: Final = (17.0, 12.5)
_FEW: Final = 24
_LIGHT: Final = 0.55


def variance_curve(variance: pa.Table, components: int) -> Markup:
    """The share of the variance that the first components have, with the cut at ``components``; wide for a page.

    Args:
        variance: Rows of ``schemas.VARIANCE``, at least one.
        components: Kept.
    """
    with drawing():
        figure = _figure(_WIDTH_IN, 2.8)
        axes = figure.subplots()
        at = np.asarray(variance["component"].to_pylist())
        share = np.asarray(variance["cumulative_ratio"].to_pylist(), np.float64)
        order = np.argsort(at)
        at, share = at[order], share[order]
        axes.plot(at, 100 * share, color=ACCENT, linewidth=1.8, solid_capstyle="round")
        axes.set(xlabel="components", ylabel="% of the variance", ylim=(0, 103), xlim=(0, max(at[-1], 2)))
        axes.grid(axis="y", linewidth=0.6)
        if components in at:
            kept = 100 * float(share[at == components][0])
            axes.axvline(components, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
            axes.plot([components], [kept], "o", color=ACCENT, markersize=5)
            side = "left" if components < 0.6 * at[-1] else "right"
            text = f"{components:,} kept: {percent(kept / 100)}"
            away = (8, -14) if side == "left" else (-8, -14)
            axes.annotate(text, (components, kept), away, textcoords="offset points", ha=side, color=INK)
        return inline(figure, "variance", f"Variance of the first components; {components:,} are kept")


def component_map(rows: pa.Table) -> Markup:
    """A sample of images by their first two components, the commonest labels in colour and with a marker.

    Args:
        rows: Rows of ``schemas.MAP``, at least one.
    """
    labels: list[str | None] = rows["label"].to_pylist()
    first, second = (np.asarray(rows[name].to_pylist(), np.float64) for name in ("first", "second"))
    counts = Counter(labels)
    commonest = sorted(counts, key=lambda label: (-counts[label], label is None, label or ""))[: len(_COLOURS)]
    place_of = {label: place for place, label in enumerate(commonest)}
    places = np.asarray([place_of.get(label, -1) for label in labels])
    with drawing():
        figure = _figure(_WIDTH_IN, 3.6)
        axes = figure.subplots()
        as_picture = len(labels) > _MOST_VECTORS
        entries: list[tuple[PathCollection, str]] = []
        others = places < 0
        if others.any():
            name = f"{len(counts) - len(commonest):,} other labels"
            dots = axes.scatter(first[others], second[others], s=7, color=_OTHER, alpha=0.45, linewidths=0)
            entries.append((dots, name))
        for label, colour, marker in zip(commonest, _COLOURS, _MARKERS, strict=False):
            ours = places == place_of[label]
            dots = axes.scatter(first[ours], second[ours], s=15, color=colour, marker=marker, alpha=0.85, linewidths=0)
            entries.append((dots, "(no label)" if label is None else clean(label, _MAP_NAME)))
        for dots, _ in entries:
            dots.set_rasterized(as_picture)
        axes.set(xlabel="first component", ylabel="second component")
        axes.margins(0.03)
        _legend(axes, entries)
        return inline(figure, "map", f"{images(len(labels))} by their first two components")


def confusion_map(cells: Cells) -> Markup:
    """Mistakes between labels: a row for what an image is, a column for what it was taken for."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Rectangle

    names = [clean(label, _MAP_NAME) for label in cells.labels]
    side_in = len(names) * _ROW_PT[len(names) > _FEW] / 72
    tooltips: dict[str, str] = {}
    with drawing():
        figure = _figure(side_in, side_in)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        norm, colours = LogNorm(1, max(2, int(cells.counts.max()))), colormaps["cividis"]
        for row, column in np.argwhere(cells.counts).tolist():
            count = int(cells.counts[row, column])
            colour = colours(norm(count))
            gid = f"cell-{row}-{column}"
            tooltips[gid] = f"{names[row]} taken for {names[column]}: {images(count)}"
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor=LINE, linewidth=0.4, gid=gid))
            ink = "#000000" if float(np.dot(colour[:3], (0.21, 0.72, 0.07))) > _LIGHT else "#ffffff"
            axes.text(column + 0.5, row + 0.53, number(count), ha="center", va="center", fontsize=6.5, color=ink)
        _frame(axes, names)
        title = f"Mistakes between {len(names):,} labels, in rows what images are, in columns what they were taken for"
        return inline(figure, "confusion", title, tooltips)


def _frame(axes: "Axes", names: list[str]) -> None:
    """Names at the left and above, a line for each row and column, the diagonal crossed out."""
    count = len(names)
    middles = np.arange(count) + 0.5
    axes.set(xlim=(0, count), ylim=(count, 0), aspect="equal")
    axes.set_xticks(middles, names, rotation=90, fontsize=7.5)
    axes.set_yticks(middles, names, fontsize=7.5)
    axes.tick_params(length=0, pad=3, labelcolor=INK, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.plot([0, count], [0, count], color=LINE, linewidth=0.8)
    for line in range(count + 1):
        axes.axhline(line, color=LINE, linewidth=0.25, zorder=0)
        axes.axvline(line, color=LINE, linewidth=0.25, zorder=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _legend(axes: "Axes", entries: "list[tuple[PathCollection, str]]") -> None:
    """Each entry by its own text: matplotlib leaves out names that begin with ``_`` where it finds them itself."""
    legend = axes.legend(
        *zip(*entries, strict=True),
        loc="upper left",
        bbox_to_anchor=(-0.02, -0.16),
        ncols=2,
        frameon=False,
        fontsize=9,
        markerscale=1.3,
    )
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
            handle.set_rasterized(False)


def _figure(width_in: float, height_in: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure((width_in, height_in), dpi=_DPI)
