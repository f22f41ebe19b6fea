"""Verdicts: how each figure is judged, and which of them end in exit 3."""

import json

import pytest

from fruits_pipeline.errors import InputError
from fruits_pipeline.report.evidence import Evidence, Issue, Score
from fruits_pipeline.report.facts import Labels, LeakFacts, SuspectFacts, TwinFacts
from fruits_pipeline.report.verdict import Verdict, refuse
from fruits_pipeline.report.verdicts import verdicts_of
from fruits_pipeline.settings.report import ReportSettings, VerdictName

NAMES = VerdictName.__args__
ACCURACY = Score(0.95, 0.93, 0.97)
GOOD = Evidence(
    judged=300,
    accuracy=ACCURACY,
    without_leaks=Score(0.94),
    label_images=(100, 100, 100),
    leaks=LeakFacts(judged=300, looked_at=300, leaked=0),
    twins=TwinFacts(pairs=0),
    suspects=SuspectFacts(looked_at=900, images=2),
    rejected=0,
    tried=1200,
    issues=(),
)


def state(name, settings=None, **evidence):
    found = verdicts_of(Evidence(**(vars(GOOD) | evidence)), settings or ReportSettings())
    return next(verdict.state for verdict in found if verdict.name == name)


def leaks(leaked, **facts):
    return LeakFacts(judged=1000, looked_at=1000, leaked=leaked, **facts)


def test_each_name_has_one_verdict_in_their_order_and_all_are_json():
    for evidence in (GOOD, Evidence()):
        found = verdicts_of(evidence, ReportSettings())
        assert tuple(verdict.name for verdict in found) == NAMES
        again = [Verdict(**one) for one in json.loads(json.dumps([one.model_dump(mode="json") for one in found]))]
        assert tuple(again) == found


def test_a_good_run_is_ok_and_one_of_which_nothing_is_known_is_not():
    assert {verdict.state for verdict in verdicts_of(GOOD, ReportSettings())} == {"ok"}
    states = {verdict.name: verdict.state for verdict in verdicts_of(Evidence(), ReportSettings())}
    assert states.pop("not-judged") == "bad"
    assert states.pop("not-learnt") == "ok"
    assert states.pop("labels-table") == "ok"
    assert set(states.values()) == {"unknown"}


@pytest.mark.parametrize(
    ("name", "evidence", "expected"),
    [
        ("guessing", {"accuracy": Score(0.40, 0.33, 0.47)}, "bad"),
        ("guessing", {"accuracy": Score(0.41, 0.34, 0.48)}, "ok"),
        ("guessing", {"accuracy": Score(0.95)}, "unknown"),
        ("few-images", {"label_images": (100, 100, 9)}, "look"),
        ("few-images", {"label_images": (100, 9, 9)}, "bad"),
        ("few-images", {"label_images": (10, 10)}, "ok"),
        ("not-learnt", {"unlearnt": Labels(labels=1, images=3, names=("kiwi",))}, "look"),
        ("not-judged", {"unjudged": Labels(labels=2, images=3, names=("kiwi", "fig"))}, "look"),
        ("not-judged", {"judged": 0}, "bad"),
        ("leaks", {"leaks": leaks(10)}, "ok"),
        ("leaks", {"leaks": leaks(11)}, "look"),
        ("leaks", {"leaks": leaks(101)}, "bad"),
        ("leaks", {"leaks": leaks(500, dropped=True)}, "ok"),
        ("leaks", {"leaks": None}, "unknown"),
        ("leaks-matter", {"leaks": leaks(11), "without_leaks": Score(0.92)}, "look"),
        ("leaks-matter", {"leaks": leaks(11), "without_leaks": Score(0.93)}, "ok"),
        ("leaks-matter", {"leaks": leaks(11), "without_leaks": None}, "unknown"),
        ("labels-table", {"table_rows": 1200, "table_named": 1200, "images": 1200}, "ok"),
        ("labels-table", {"table_rows": 1200, "table_named": 1200, "images": 1201}, "look"),
        ("labels-table", {"table_rows": 1201, "table_named": 1200, "images": 1200}, "look"),
        ("two-labels", {"twins": TwinFacts(pairs=9, two_labels=1)}, "look"),
        ("two-labels", {"twins": None, "leaks": leaks(9, two_labels=1)}, "look"),
        ("suspect-labels", {"suspects": SuspectFacts(looked_at=900, images=10)}, "look"),
        ("suspect-labels", {"suspects": SuspectFacts(looked_at=900, images=91)}, "bad"),
        ("rejects", {"rejected": 13}, "look"),
        ("rejects", {"rejected": None}, "unknown"),
        ("pictures", {"issues": (Issue("blur", 9, 0.02), Issue("glare", 90, 0.07))}, "look"),
        ("pictures", {"issues": (Issue("blur", 9, 0.05),)}, "ok"),
    ],
)
def test_a_figure_is_held_against_its_threshold(name, evidence, expected):
    assert state(name, **evidence) == expected


def test_thresholds_are_settings():
    assert state("leaks", ReportSettings(warn_leak_share=0.5), leaks=leaks(500)) == "ok"
    assert state("leaks", ReportSettings(warn_leak_share=0), leaks=leaks(1)) == "bad"
    assert state("suspect-labels", ReportSettings(warn_suspect_share=0.001)) == "look"
    assert state("rejects", ReportSettings(warn_reject_share=0.02), rejected=20) == "ok"
    assert state("pictures", ReportSettings(warn_picture_share=0.1), issues=(Issue("blur", 9, 0.07),)) == "ok"
    assert state("few-images", ReportSettings(warn_few_images=101)) == "bad"


def test_what_verdicts_are_held_against_is_told(golden):
    evidence = Evidence(
        **vars(GOOD)
        | {"unlearnt": Labels(labels=4, images=9, names=("kiwi", "x" * 90, "a\nb", "fig")), "leaks": leaks(30)}
    )
    found = verdicts_of(evidence, ReportSettings())
    golden("report_verdicts", "\n".join(f"{one.name}: {one.sentence} [{one.held_against}]" for one in found))


def test_a_verdict_that_is_named_must_be_ok_and_any_means_those_that_are_known(golden):
    found = verdicts_of(
        Evidence(**vars(GOOD) | {"leaks": leaks(101), "issues": None, "rejected": 20}), ReportSettings()
    )
    refuse(found, ())
    refuse(found, ("guessing", "few-images"))
    refuse(verdicts_of(Evidence(**vars(GOOD) | {"issues": None}), ReportSettings()), ("any",))
    with pytest.raises(InputError, match=r"pictures \(unknown\)"):
        refuse(found, ("pictures",))
    with pytest.raises(InputError) as told:
        refuse(found, ("any",))
    assert told.value.exit_code == 3
    golden("report_fails", str(told.value))
