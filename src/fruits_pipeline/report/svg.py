"""Figures of matplotlib as SVG inside a page: colours by CSS variables, text as text, equal bytes for equal figures."""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Stand-ins that a figure is drawn with, and the CSS variables of the page that take their place.
INK: Final = "#0a0b0c"
MUTED: Final = "#1a1b1c"
LINE: Final = "#2a2b2c"
ACCENT: Final = "#4a4b4c"
_VARIABLES: Final = {INK: "--ink", MUTED: "--muted", LINE: "--line", ACCENT: "--accent"}
_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_STYLES: Final = {"style", "fill", "stroke"}
_FONTS: Final = re.compile(r" ?font-family: [^;\"]*;?")
_SETTINGS: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fruits-pipeline",
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "font.size": 10,
    "grid.color": LINE,
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.color": MUTED,
    "ytick.labelsize": 9,
}


@contextmanager
def drawing() -> Iterator[None]:
    """The settings under which figures are made and written; glyphs that a font lacks are the reader's browser's."""
    import matplotlib as mpl

    fonts = logging.getLogger("matplotlib.font_manager")
    level = fonts.level
    fonts.setLevel(logging.ERROR)
    try:
        with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph ")
            warnings.filterwarnings("ignore", message=".*does not fit|Tight layout not applied")
            yield
    finally:
        fonts.setLevel(level)


def inline(figure: "Figure", name: str, title: str, titles: dict[str, str] | None = None) -> Markup:
    """The figure as an ``svg`` element; call it inside ``drawing``.

    Args:
        figure: Made with the colours above.
        name: Unique on the page; its ids begin with it.
        title: What it shows, for those who do not see it.
        titles: Tooltips, by the ``gid`` of what they are of.
    """
    file = io.StringIO()
    figure.savefig(
        file,
        format="svg",
        transparent=True,
        bbox_inches="tight",
        pad_inches=0.04,
        metadata={"Date": None, "Creator": None},
    )
    root = ET.fromstring(file.getvalue())  # noqa: S314 because matplotlib wrote it a moment ago
    for tag in ("metadata", "defs/style"):
        _drop(root, tag)
    for place, text in (titles or {}).items():
        for element in root.iter():
            if element.get("id") == place:
                ET.SubElement(element, f"{{{_SVG}}}title").text = text
    _theme(root)
    _name(root, name)
    width, height = (float(root.attrib.pop(side).removesuffix("pt")) for side in ("width", "height"))
    root.attrib |= {"role": "img", "aria-label": title, "style": f"--w:{width:.0f};--h:{height:.0f}"}
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 because ElementTree escapes


def _drop(root: ET.Element, tag: str) -> None:
    """Removes elements by their path of tags."""
    *above, last = (f"{{{_SVG}}}{part}" for part in tag.split("/"))
    parents = root.findall(".//" + "/".join(above)) if above else [root]
    for parent in parents:
        for element in parent.findall(last):
            parent.remove(element)


def _name(root: ET.Element, name: str) -> None:
    """Keeps just the ids that something refers to, each below ``name``: several figures stand on one page."""
    text = ET.tostring(root, encoding="unicode")
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    for element in root.iter():
        if (identity := element.attrib.pop("id", None)) in used:
            element.set("id", f"{name}-{identity}")
        for key, value in element.attrib.items():
            if key.endswith("href") and value.startswith("#"):
                element.set(key, f"#{name}-{value[1:]}")
            elif "url(#" in value:
                element.set(key, value.replace("url(#", f"url(#{name}-"))


def _theme(root: ET.Element) -> None:
    """Colours by variables of the page, no fonts: in attributes alone, as names of labels may look like either."""
    for element in root.iter():
        for key in _STYLES & element.attrib.keys():
            value = element.attrib[key]
            for colour, variable in _VARIABLES.items():
                value = value.replace(colour, f"var({variable})")
            element.set(key, _FONTS.sub("", value))
