"""Can I trust it? One paragraph in plain words, and the verdicts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fruits_pipeline.report.evidence import Evidence
from fruits_pipeline.report.load import Results, Row
from fruits_pipeline.report.verdict import State, Verdict
from fruits_pipeline.report.words import images, interval, percent, plural, spoken

_SAID: Final[dict[State, str]] = {
    "bad": "bad",
    "look": "worth a look",
    "ok": "ok",
    "unknown": "not known",
}
_BY: Final = {"folder or table": "the folders or the table say so", "content": "a hash of each image's content decides"}


@dataclass(frozen=True)
class Trust:
    """The section.

    Attributes:
        sentences: The paragraph.
        verdicts: Worst first.
        tally: How many verdicts stand how.
    """

    sentences: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    tally: str


def trust(results: Results, evidence: Evidence, verdicts: tuple[Verdict, ...]) -> Trust:
    """The section of an output."""
    worst_first = sorted(verdicts, key=lambda verdict: list(_SAID).index(verdict.state))
    return Trust(tuple(_sentences(results, evidence)), tuple(worst_first), _tally(verdicts))


def _tally(verdicts: tuple[Verdict, ...]) -> str:
    found = Counter(verdict.state for verdict in verdicts)
    return ", ".join(f"{found[state]} {said}" for state, said in _SAID.items() if found[state])


def _sentences(results: Results, evidence: Evidence) -> Iterator[str]:
    yield from _counts(results)
    yield _sides(results)
    yield from _best(results)
    leaks = evidence.leaks
    if leaks is not None and leaks.looked_at:
        share = percent(leaks.leaked / leaks.looked_at)
        looked = "" if leaks.looked_at >= leaks.judged else "that were looked at "
        help_scores = ", and help these scores without merit." if leaks.leaked else "."
        yield (
            f"{leaks.leaked:,} of {leaks.looked_at:,} judged images {looked}({share}) have a near-twin in training"
            f"{', and are left out of these scores.' if leaks.dropped and leaks.leaked else help_scores}"
        )
    elif (across := results.classified.facts_or_fail.duplicates_across_splits) is not None:
        stands = "No file stands" if not across else f"{plural(across, 'file')} {'stands' if across == 1 else 'stand'}"
        yield f"{stands} on more than one side; pictures that look the same were not looked for."
    unlearnt = evidence.unlearnt
    yield (
        f"{plural(unlearnt.labels, 'label')} of judged images ({images(unlearnt.images)}) "
        f"{'was' if unlearnt.labels == 1 else 'were'} not learnt."
        if unlearnt.labels
        else "Every label of a judged image was learnt."
    )


def _counts(results: Results) -> Iterator[str]:
    if results.snapshot is None:
        yield f"{images(results.reduced.facts_or_fail.rows)} were read."
        return
    counts = results.snapshot.counts
    yield (
        f"Of {plural(counts.found, 'file')} found, {counts.read:,} were read as images, {counts.rejected:,} rejected "
        f"and {counts.skipped:,} skipped."
    )


def _sides(results: Results) -> str:
    reduced, uses = results.reduced.facts_or_fail, results.classified.facts_or_fail.uses
    judged = [f"{count:,} {side}" for side, count in (("validation", uses.validation), ("test", uses.test)) if count]
    rest = f"; {uses.predicted_only:,} are only predicted" if uses.predicted_only else ""
    why = f": {_BY[reduced.split_by]}" if reduced.split_by in _BY else ""
    held = " and ".join(judged) + " images are held out to judge by" if judged else "no image is held out to judge by"
    return f"{images(uses.train)} {'is' if uses.train == 1 else 'are'} learnt from and {held}{rest}{why}."


def _best(results: Results) -> Iterator[str]:
    best = results.best
    accuracy, f1 = (results.score("scores", best, metric) for metric in ("accuracy", "macro_f1"))
    if best is None or accuracy is None:
        yield "There are no scores."
        return
    several = len({row["classifier"] for row in results.rows("scores")}) > 1
    yield (
        f"The {'best ' if several else ''}classifier, {spoken(best)}, names {percent(accuracy['value'])} of the "
        f"{results.judged} images rightly{_of(accuracy, '95 % interval ')}"
        + (f"; its macro F1 is {f1['value']:.3f}{_f1(f1)}." if f1 and f1["value"] is not None else ".")
    )
    if accuracy["group_low"] is not None:
        yield (
            "Counted by groups of images that look the same, the interval of the accuracy is "
            f"{interval(accuracy['group_low'], accuracy['group_high'])}."
        )
    elif accuracy["low"] is not None:
        yield "The interval takes images as independent, which frames of one scene are not."


def _of(row: Row, before: str) -> str:
    found = interval(row["low"], row["high"])
    return f" ({before}{found})" if found else ""


def _f1(row: Row) -> str:
    return "" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})"
