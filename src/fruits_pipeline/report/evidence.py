"""What verdicts are judged by, gathered from the tables and the facts of an output."""

from dataclasses import dataclass
from typing import Final

from fruits_pipeline.report.facts import Labels, LeakFacts, SuspectFacts, TwinFacts
from fruits_pipeline.report.load import Results, Row

# What the faults of pictures are called in a sentence.
ISSUES: Final = {
    "dark": "darkness",
    "bright": "glare",
    "blurred": "blur",
    "nearly_empty": "emptiness",
    "odd_shape": "odd shape",
}
# What pictures with a fault are, where that is not its name in the table.
_ADJECTIVES: Final = {"odd_shape": "of an odd shape"}


@dataclass(frozen=True)
class Score:
    """A share with its 95 % interval, where there is one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Issue:
    """A fault of pictures.

    Attributes:
        name: What it is called.
        images: Those that have it.
        share: Their share.
        told: False where most images have it: then it may be how these pictures are.
        adjective: What pictures with it are.
    """

    name: str
    images: int
    share: float
    told: bool = True
    adjective: str = ""


_NO_LABELS: Final = Labels()


@dataclass(frozen=True)
class Evidence:
    """What verdicts are judged by; None where it is not known.

    Attributes:
        side: The judged side.
        judged: Images of it.
        accuracy: Of the best classifier, as it is told.
        with_leaks: The same, judged with images that have a near-twin in training; None where it is not known.
        without_leaks: The same, judged without them.
        label_images: Judged images of each label that has any.
        unlearnt: Labels of judged images that no training image has.
        unjudged: Labels of training images that no judged image has.
        table_rows: Rows of the table of ``--labels``; None without one.
        table_named: Images that it names.
        images: All that were read.
        leaks: Near-twins between training and the judged sides.
        twins: Images that look the same.
        suspects: Training images whose label looks wrong.
        rejected: Images that could not be read.
        tried: Images that were to be read.
        issues: Faults of pictures that any image has, commonest first.
    """

    side: str = "test"
    judged: int = 0
    accuracy: Score | None = None
    with_leaks: Score | None = None
    without_leaks: Score | None = None
    label_images: tuple[int, ...] = ()
    unlearnt: Labels = _NO_LABELS
    unjudged: Labels = _NO_LABELS
    table_rows: int | None = None
    table_named: int = 0
    images: int = 0
    leaks: LeakFacts | None = None
    twins: TwinFacts | None = None
    suspects: SuspectFacts | None = None
    rejected: int | None = None
    tried: int | None = None
    issues: tuple[Issue, ...] | None = None


def evidence_of(results: Results) -> Evidence:
    """What is known of an output."""
    classified, best = results.classified.facts_or_fail, results.best
    reduced = results.reduced.facts_or_fail
    examined = results.examined.facts_or_fail if results.examined else None
    labels = results.rows("label_scores", classifier=best, split=results.judged)
    counts = tuple(row["images"] for row in labels if row["images"])
    tried, rejected = _read(results)
    return Evidence(
        side=results.judged,
        judged=sum(counts),
        accuracy=_score(results.score("scores", best)),
        with_leaks=_score(results.score("scores_with_leaks", best) or results.score("scores", best)),
        without_leaks=_score(results.score("scores_without_leaks", best)),
        label_images=counts,
        unlearnt=classified.unlearnt,
        unjudged=classified.unjudged,
        table_rows=reduced.labels_table_rows,
        table_named=reduced.labelled_by_table or 0,
        images=reduced.rows,
        leaks=classified.leaks,
        twins=examined.twins if examined else None,
        suspects=classified.suspects,
        rejected=rejected,
        tried=tried,
        issues=_issues(results),
    )


def issue_name(issue: str) -> str:
    """What a fault of pictures is called.

    >>> issue_name("dark"), issue_name("too_green")
    ('darkness', 'too green')
    """
    return ISSUES.get(issue, issue.replace("_", " "))


def _score(row: Row | None) -> Score | None:
    return None if row is None or row["value"] is None else Score(row["value"], row["low"], row["high"])


def _read(results: Results) -> tuple[int | None, int | None]:
    """Images that were tried, and those that were rejected."""
    if results.snapshot is not None:
        counts = results.snapshot.counts
        return counts.tried, counts.rejected
    reduced = results.reduced.facts_or_fail
    if reduced.rejected_share is None or reduced.rejected_share >= 1:
        return None, None
    tried = round(reduced.rows / (1 - reduced.rejected_share))
    return tried, tried - reduced.rows


def _issues(results: Results) -> tuple[Issue, ...] | None:
    if "picture_issues" not in results.tables:
        return None
    found = [
        Issue(
            issue_name(row["issue"]),
            row["images"],
            row["share"] or 0.0,
            told=bool(row["told"]),
            adjective=_ADJECTIVES.get(row["issue"], row["issue"].replace("_", " ")),
        )
        for row in results.rows("picture_issues")
        if row["images"]
    ]
    return tuple(sorted(found, key=lambda issue: -issue.share))
