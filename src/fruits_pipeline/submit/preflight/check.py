"""Checks, and how they are made: all of them, whatever each of them finds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fruits_pipeline.errors import FruitsError, StorageError, SubmissionError
from fruits_pipeline.submit.preflight.finding import Finding, Verdict, fault_of, unknown

# Of AWS, of Google's REST APIs, and of gRPC.
_DENIED = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden", "403"),
        *("PERMISSION_DENIED", "PermissionDenied"),
    }
)


@dataclass(frozen=True)
class Check:
    """One check: its name, and what looks and gives findings.

    ``look`` may raise what asking the cloud raises. Where a check ``first`` finds a fault, as in the credentials, the
    checks after it cannot ask anything.
    """

    name: str
    look: Callable[[], Iterable[Finding]]
    first: bool = False


def findings(checks: Iterable[Check]) -> Iterator[Finding]:
    """What all checks find, in their order; each finding once."""
    told: set[Finding] = set()
    blocked = ""
    for check in checks:
        if blocked:
            yield unknown(check.name, f"cannot be asked before the fault of {blocked} is mended")
            continue
        for finding in _found(check):
            if finding not in told:
                told.add(finding)
                yield finding
            if check.first and finding.verdict is Verdict.FAULT:
                blocked = check.name


def _found(check: Check) -> Iterator[Finding]:
    """What one check finds; a call that is not allowed, or fails, is told and no fault."""
    try:
        yield from check.look()
    except SubmissionError as error:
        if error.code in _DENIED:
            yield unknown(check.name, f"who submits is not allowed to call {error.operation}")
        elif error.code == "SERVICE_DISABLED":
            yield unknown(check.name, f"the API of {error.operation} is not enabled")
        elif error.code == "NOT_FOUND":
            yield fault_of(check.name, error)
        else:
            yield unknown(check.name, str(error))
    except StorageError as error:
        yield unknown(check.name, "who submits is not allowed to read it" if error.is_denied else str(error))
    except FruitsError as error:
        yield unknown(check.name, str(error))
    except (LookupError, TypeError) as error:
        # A proxy's page has none of what an answer has; what it is cannot be told here.
        yield unknown(check.name, f"an answer in another form than the cloud has ({error!r}); check HTTPS_PROXY")


def refuse_faults(found: Iterable[Finding]) -> None:
    """Refuses to make anything where there is a fault, and tells all of them.

    Raises:
        SubmissionError: Then.
    """
    faults = [finding for finding in found if finding.verdict is Verdict.FAULT]
    if faults:
        told = "".join(f"\n  {finding}" for finding in faults)
        raise SubmissionError(f"expected a preflight without faults, found {len(faults)}; nothing was made:{told}")
