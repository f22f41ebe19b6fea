"""Settings of ``report.html``: what it shows, from where on a verdict warns, and which verdicts end in exit 3."""

from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import Field

from fruits_pipeline.settings.room import Incidental, Room

VerdictName = Literal[
    "guessing",
    "few-images",
    "not-learnt",
    "not-judged",
    "leaks",
    "leaks-matter",
    "labels-table",
    "two-labels",
    "suspect-labels",
    "rejects",
    "pictures",
]
ANY: Literal["any"] = "any"
FailOn = Literal[VerdictName, "any"]
# Beyond so many times its threshold a share is bad, no longer only worth a look.
BAD_TIMES = 10


class ReportSettings(Room):
    """What stands on the page, and what its verdicts warn of."""

    report_images: Literal["all", "none"] = Field(
        "all", description="Pictures on the page; none leaves them out, for pages that are passed on."
    )
    fail_on: Annotated[
        tuple[FailOn, ...], Incidental, Parameter(negative="", consume_multiple=False, show_default=False)
    ] = Field(
        (),
        description="Verdict that ends the command with exit code 3, after all is written, unless it is ok; "
        "repeatable; any: every one that is worth a look or bad.",
    )
    open: Annotated[bool, Incidental, Parameter(negative="")] = Field(
        False, description="Open the page in a browser, where the output is on this machine."
    )
    warn_leak_share: float = Field(
        0.01, ge=0, le=1, description="Verdict leaks: share of judged images with a near-twin in training."
    )
    warn_suspect_share: float = Field(
        0.01, ge=0, le=1, description="Verdict suspect-labels: share of training images whose label looks wrong."
    )
    warn_reject_share: float = Field(
        0.01, ge=0, le=1, description="Verdict rejects: share of images that could not be read."
    )
    warn_picture_share: float = Field(
        0.05, ge=0, le=1, description="Verdict pictures: share of images with the commonest fault, such as blur."
    )
    warn_few_images: int = Field(
        10, ge=1, description="Verdict few-images: fewest images by which a label should be judged."
    )


class PageSettings(Room):
    """What only the command ``report`` takes."""

    compare: str | None = Field(
        None, min_length=1, description="Another output: settings, scores and predictions that differ from it."
    )
