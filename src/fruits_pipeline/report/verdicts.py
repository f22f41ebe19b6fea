"""Whether a run can be trusted: what each verdict is judged by, and against which threshold."""

from fruits_pipeline.report.evidence import Evidence, Issue
from fruits_pipeline.report.facts import Labels, LeakFacts, SuspectFacts, TwinFacts
from fruits_pipeline.report.verdict import State, Verdict
from fruits_pipeline.report.words import clean, images, interval, percent, plural
from fruits_pipeline.settings.report import BAD_TIMES, ReportSettings

_MOST_NAMES = 3


def verdicts_of(evidence: Evidence, settings: ReportSettings) -> tuple[Verdict, ...]:
    """All verdicts, in the order of ``VerdictName``."""
    return (
        _guessing(evidence),
        _few_images(evidence, settings.warn_few_images),
        _not_learnt(evidence),
        _not_judged(evidence),
        _leaks(evidence.leaks, settings.warn_leak_share),
        _leaks_matter(evidence),
        _labels_table(evidence),
        _two_labels(evidence.twins, evidence.leaks),
        _suspect_labels(evidence.suspects, settings.warn_suspect_share),
        _rejects(evidence, settings.warn_reject_share),
        _pictures(evidence.issues, settings.warn_picture_share),
    )


def _guessing(evidence: Evidence) -> Verdict:
    """Whether the classifier does better than who always says the commonest label."""
    total, accuracy = sum(evidence.label_images), evidence.accuracy
    if accuracy is None or accuracy.low is None or not total:
        return Verdict(name="guessing", state="unknown", sentence="There is no accuracy with an interval to judge by.")
    share = max(evidence.label_images) / total
    above = accuracy.low > share
    told = (
        f"{percent(accuracy.value)} of the judged images are named rightly ({interval(accuracy.low, accuracy.high)}); "
        f"always saying the commonest label would be right for {percent(share)}."
    )
    return Verdict(name="guessing", state="ok" if above else "bad", sentence=told, value=accuracy.low, threshold=share)


def _few_images(evidence: Evidence, least: int) -> Verdict:
    counts = evidence.label_images
    if not counts:
        return Verdict(name="few-images", state="unknown", sentence="No label is judged.", threshold=least)
    few = sum(count < least for count in counts)
    told = (
        f"{few:,} of {plural(len(counts), 'label')} are judged on fewer than {images(least)}: their scores may be off."
        if few
        else f"Every label is judged on at least {images(min(counts))}."
    )
    state: State = "ok" if not few else "bad" if 2 * few > len(counts) else "look"
    return Verdict(name="few-images", state=state, sentence=told, value=min(counts), threshold=least)


def _not_learnt(evidence: Evidence) -> Verdict:
    found = evidence.unlearnt
    told = (
        f"{_some(found)} {'is' if found.labels == 1 else 'are'} judged and not in training: "
        f"{images(found.images)} cannot be named rightly."
        if found.labels
        else "Every judged label was learnt."
    )
    return Verdict(name="not-learnt", state=_none(found.labels), sentence=told, value=found.labels, threshold=0)


def _not_judged(evidence: Evidence) -> Verdict:
    found = evidence.unjudged
    if not evidence.judged:
        return Verdict(name="not-judged", state="bad", sentence="No image was held out, so nothing is judged.")
    told = (
        f"{_some(found)} {'has' if found.labels == 1 else 'have'} training images and none to judge by: "
        "how well they are told is not known."
        if found.labels
        else "Every label that was learnt is judged."
    )
    return Verdict(name="not-judged", state=_none(found.labels), sentence=told, value=found.labels, threshold=0)


def _leaks(found: LeakFacts | None, most: float) -> Verdict:
    if found is None or not found.looked_at:
        told = "Near-twins between training and the judged images were not looked for."
        return Verdict(name="leaks", state="unknown", sentence=told, threshold=most)
    share = found.leaked / found.looked_at
    dropped = " They are left out of the scores." if found.dropped and found.leaked else ""
    is_whole = found.looked_at >= found.judged
    rest = "" if is_whole else f" Only {found.looked_at:,} of {found.judged:,} judged images were looked at."
    told = (
        f"{found.leaked:,} of {found.looked_at:,} judged images {'' if is_whole else 'that were looked at '}"
        f"({percent(share)}) have a near-twin in training, {found.same_content:,} of them the same file.{dropped}{rest}"
    )
    return Verdict(name="leaks", state=_leaks_state(found, share, most), sentence=told, value=share, threshold=most)


def _leaks_state(found: LeakFacts, share: float, most: float) -> State:
    """``ok`` where all leaks are left out; where only some images were looked at, others may leak still."""
    if not found.dropped:
        return _by_share(share, most)
    return "ok" if found.looked_at >= found.judged else "look"


def _leaks_matter(evidence: Evidence) -> Verdict:
    before, after = evidence.with_leaks or evidence.accuracy, evidence.without_leaks
    if evidence.leaks is not None and not evidence.leaks.leaked:
        return Verdict(name="leaks-matter", state="ok", sentence="No near-twin helps the scores.")
    if before is None or after is None or before.low is None:
        told = "There are no scores without near-twins to compare with."
        return Verdict(name="leaks-matter", state="unknown", sentence=told)
    inside = after.value >= before.low
    told = (
        f"Without near-twins accuracy is {percent(after.value)} rather than {percent(before.value)}, "
        f"{'inside' if inside else 'below'} its interval of {interval(before.low, before.high)}."
    )
    return Verdict(
        name="leaks-matter", state="ok" if inside else "look", sentence=told, value=after.value, threshold=before.low
    )


def _labels_table(evidence: Evidence) -> Verdict:
    """Whether the table of ``--labels`` and the images are of each other."""
    rows, named = evidence.table_rows, evidence.table_named
    if rows is None:
        return Verdict(name="labels-table", state="ok", sentence="No table of --labels was given.", threshold=0)
    without, astray = evidence.images - named, rows - named
    told = (
        f"The table of --labels names {named:,} of {images(evidence.images)}: {images(without)} have no label, and "
        f"{plural(astray, 'row')} of it name no image that was read."
        if without or astray
        else f"The table of --labels names all {images(evidence.images)}."
    )
    found = without + astray
    return Verdict(name="labels-table", state=_none(found), sentence=told, value=found, threshold=0)


def _two_labels(twins: TwinFacts | None, leaks: LeakFacts | None) -> Verdict:
    if twins is None and leaks is None:
        told = "Pictures that look the same were not looked for."
        return Verdict(name="two-labels", state="unknown", sentence=told, threshold=0)
    pairs = twins.two_labels if twins else 0
    across = leaks.two_labels if leaks else 0
    found = max(pairs, across)
    told = (
        f"{plural(found, 'pair')} of pictures that look the same {'has' if found == 1 else 'have'} two labels."
        if found
        else "No two pictures that look the same have two labels."
    )
    return Verdict(name="two-labels", state=_none(found), sentence=told, value=found, threshold=0)


def _suspect_labels(found: SuspectFacts | None, most: float) -> Verdict:
    if found is None or not found.looked_at:
        told = "Labels of training images were not checked."
        return Verdict(name="suspect-labels", state="unknown", sentence=told, threshold=most)
    share = found.images / found.looked_at
    told = (
        f"{found.images:,} of {found.looked_at:,} training images ({percent(share)}) look like another label to a "
        "model that did not learn from them."
    )
    return Verdict(name="suspect-labels", state=_by_share(share, most), sentence=told, value=share, threshold=most)


def _rejects(evidence: Evidence, most: float) -> Verdict:
    if evidence.rejected is None or not evidence.tried:
        return Verdict(
            name="rejects", state="unknown", sentence="How many images were read is not known.", threshold=most
        )
    share = evidence.rejected / evidence.tried
    told = f"{evidence.rejected:,} of {images(evidence.tried)} ({percent(share)}) could not be read."
    return Verdict(name="rejects", state=_by_share(share, most), sentence=told, value=share, threshold=most)


def _pictures(issues: tuple[Issue, ...] | None, most: float) -> Verdict:
    if issues is None:
        return Verdict(
            name="pictures", state="unknown", sentence="Pictures were not looked at for faults.", threshold=most
        )
    common = [issue for issue in issues if issue.images and not issue.told]
    rare = [issue for issue in issues if issue.images and issue.told]
    worst = max(rare, key=lambda issue: issue.share, default=Issue("", 0, 0.0))
    told = [
        f"Most pictures are {issue.adjective} ({percent(issue.share)}): that is how these pictures are, or a fault of "
        "all."
        for issue in common
    ]
    if rare:
        other = "other " if common else ""
        told.append(
            f"The commonest {other}fault {'' if common else 'of pictures '}is {worst.name}: {images(worst.images)} "
            f"({percent(worst.share)})."
        )
    sentence = " ".join(told) or "No picture is dark, bright, blurred, nearly empty or of an odd shape."
    state = _by_share(worst.share, most)
    return Verdict(
        name="pictures",
        state="look" if common and state == "ok" else state,
        sentence=sentence,
        value=max((issue.share for issue in issues), default=0.0),
        threshold=most,
    )


def _by_share(share: float, most: float) -> State:
    """``look`` above the threshold, ``bad`` above ``BAD_TIMES`` times of it.

    >>> _by_share(0.01, 0.01), _by_share(0.02, 0.01), _by_share(0.2, 0.01)
    ('ok', 'look', 'bad')
    """
    if share <= most:
        return "ok"
    return "bad" if share > BAD_TIMES * most else "look"


def _none(found: int) -> State:
    return "look" if found else "ok"


def _some(labels: Labels) -> str:
    """How many labels, with the first names."""
    names = ", ".join(repr(clean(name)) for name in labels.names[:_MOST_NAMES])
    names += ", …" if labels.labels > _MOST_NAMES else ""
    return f"{plural(labels.labels, 'label')}{f' ({names})' if labels.names else ''}"
