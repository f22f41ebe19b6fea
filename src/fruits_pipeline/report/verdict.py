"""One verdict: a question about a run, how it stands, and the figure that it was judged by."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.errors import InputError
from fruits_pipeline.report.words import limit, number, percent
from fruits_pipeline.settings.report import ANY, BAD_TIMES, FailOn, VerdictName

State = Literal["ok", "look", "bad", "unknown"]


class Verdict(BaseModel):
    """One verdict.

    Attributes:
        name: By which ``--fail-on`` knows it.
        state: ``ok``, worth a ``look``, ``bad``, or ``unknown`` where there is nothing to judge by.
        sentence: What was found, in plain words.
        value: The figure; a share in [0, 1] or a number.
        threshold: What it is held against; of the same unit.
    """

    model_config = ConfigDict(frozen=True)

    name: VerdictName
    state: State
    sentence: str
    value: float | None = None
    threshold: float | None = None

    @property
    def held_against(self) -> str:
        """The threshold in words; empty where there is none."""
        if self.threshold is None:
            return ""
        match self.name:
            case "leaks" | "suspect-labels" | "rejects" | "pictures":
                bad = limit(min(1, BAD_TIMES * self.threshold))
                return f"look above {limit(self.threshold)}, bad above {bad}"
            case "guessing":
                return f"bad unless the whole interval lies above {percent(self.threshold)}"
            case "leaks-matter":
                return f"look below {percent(self.threshold)}"
            case "few-images":
                return f"look below {number(int(self.threshold))} images, bad where most labels have fewer"
            case _:
                return "look above 0"


def refuse(verdicts: Iterable[Verdict], fail_on: tuple[FailOn, ...]) -> None:
    """Raises where a verdict that ``--fail-on`` names is not ok, or, with ``any``, one is worth a look or bad.

    Raises:
        InputError: Then, with each such verdict.
    """
    failed = [verdict for verdict in verdicts if _fails(verdict, fail_on)]
    if failed:
        told = "".join(f"\n  {verdict.name} ({verdict.state}): {verdict.sentence}" for verdict in failed)
        raise InputError(
            f"expected every verdict of --fail-on {' '.join(fail_on)} to be ok, found:{told}\n"
            "all results are written; report.html shows the images"
        )


def _fails(verdict: Verdict, fail_on: tuple[str, ...]) -> bool:
    return (verdict.name in fail_on and verdict.state != "ok") or (ANY in fail_on and verdict.state in {"look", "bad"})
