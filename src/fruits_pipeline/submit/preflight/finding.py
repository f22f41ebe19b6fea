"""What one check of the preflight found, in one line."""

from dataclasses import dataclass
from enum import StrEnum

from fruits_pipeline.errors import FruitsError


class Verdict(StrEnum):
    """Verdict of a check: only a fault keeps a job from being started."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Finding:
    """A verdict on what was checked, the facts that it rests on, and what to do about it ("" where nothing)."""

    verdict: Verdict
    check: str
    facts: str
    remedy: str = ""

    def __str__(self) -> str:
        """One line.

        >>> print(Finding(Verdict.FAULT, "subnets", "expected subnet-1 in eu-west-1, found none", "give a --subnet"))
        fault: subnets: expected subnet-1 in eu-west-1, found none; give a --subnet
        """
        return f"{self.verdict}: {self.check}: {self.facts}" + (f"; {self.remedy}" if self.remedy else "")


def ok(check: str, facts: str) -> Finding:
    """Nothing is in the way."""
    return Finding(Verdict.OK, check, facts)


def warning(check: str, facts: str, remedy: str) -> Finding:
    """The job runs, but dearer or slower than was asked for."""
    return Finding(Verdict.WARNING, check, facts, remedy)


def fault(check: str, facts: str, remedy: str) -> Finding:
    """The job would not start, or would end without a result."""
    return Finding(Verdict.FAULT, check, facts, remedy)


def unknown(check: str, facts: str) -> Finding:
    """It could not be looked at."""
    return Finding(Verdict.UNKNOWN, check, facts)


def fault_of(check: str, error: FruitsError) -> Finding:
    """The fault that an error's message tells, remedy included."""
    facts, _, remedy = str(error).partition("; ")
    return fault(check, facts, remedy)
