"""The page: its sections and figures filled into templates, with a policy by which nothing leaves it."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from fruits_pipeline.report import words
from fruits_pipeline.report.comparison import Comparison
from fruits_pipeline.report.confusion_order import Cells
from fruits_pipeline.report.inputs import Inputs
from fruits_pipeline.report.making import Making
from fruits_pipeline.report.mistakes import Mistakes
from fruits_pipeline.report.pictures import ENLARGED, Album
from fruits_pipeline.report.plots import component_map, confusion_map, variance_curve
from fruits_pipeline.report.trust import Trust

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES: Final = "templates"
_SIGNS: Final = {"ok": "\u2713", "look": "!", "bad": "\u2715", "unknown": "?"}
_SAID: Final = {"ok": "ok", "look": "look", "bad": "bad", "unknown": "not known"}


@dataclass(frozen=True)
class Page:
    """All that stands on it, in its order.

    Attributes:
        title: The output, without what tells of this machine.
        trust: Can I trust it?
        mistakes: What does it get wrong?
        inputs: What went in?
        making: How was it made?
        comparison: Beside another output; None where none was asked for.
    """

    title: str
    trust: Trust
    mistakes: Mistakes
    inputs: Inputs
    making: Making
    comparison: Comparison | None = None

    @property
    def paths(self) -> Iterator[str]:
        """The images that it shows."""
        yield from self.mistakes.paths
        yield from self.inputs.paths
        if self.comparison is not None:
            yield from self.comparison.paths

    @cached_property
    def plots(self) -> dict[str, Markup]:
        """Its figures, by name; those that there is nothing to draw of are missing."""
        found: dict[str, Markup] = {}
        cells: Cells | None = self.mistakes.cells
        if cells is not None:
            found["confusion"] = confusion_map(cells)
        if self.making.variance is not None and len(self.making.variance):
            found["variance"] = variance_curve(self.making.variance, self.making.components)
        if self.making.map is not None and len(self.making.map):
            found["map"] = component_map(self.making.map)
        return found


def html_of(page: Page, album: Album) -> str:
    """The page as one HTML document, without a request to anywhere.

    Args:
        page: Its content.
        album: Its pictures.
    """
    script = _resource("page.js")
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    template = _environment().get_template("page.html")
    return template.render(
        page=page,
        album=album,
        enlarged=ENLARGED,
        policy=policy,
        script=Markup(script),  # noqa: S704 because it is a file of ours
        style=Markup(_resource("page.css")),  # noqa: S704 because it is a file of ours
        signs=_SIGNS,
        said=_SAID,
    )


def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("fruits_pipeline.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "percent": lambda share: words.tied(words.percent(share)),
        "tied": words.tied,
        "number": words.number,
        "seconds": words.seconds,
        "clean": words.clean,
    }
    found.globals["interval"] = lambda low, high: words.tied(words.interval(low, high))
    return found


def _resource(name: str) -> str:
    return files("fruits_pipeline.report").joinpath(_TEMPLATES, name).read_text(encoding="utf-8")
