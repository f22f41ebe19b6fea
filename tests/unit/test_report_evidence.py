"""What verdicts are judged by: which scores count, and what is said of faults that most pictures have."""

import pyarrow as pa
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.report.evidence import Evidence, Issue, Score, evidence_of
from fruits_pipeline.report.facts import Labels, LeakFacts
from fruits_pipeline.report.load import load_results
from fruits_pipeline.report.verdicts import verdicts_of
from fruits_pipeline.settings.report import ReportSettings
from fruits_pipeline.settings.storage import StorageSettings
from page_outputs import page_output


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What is read of an output of six labels."""
    store = page_output(tmp_path_factory.mktemp("evidence") / "results", 6)
    return load_results(store, {}, StorageSettings())


def verdict(name, **evidence):
    found = verdicts_of(Evidence(**evidence), ReportSettings())
    return next(one for one in found if one.name == name)


def test_guessing_is_judged_by_the_scores_that_are_told_and_only_leaks_matter_compares(made):
    scores = made.tables["scores"].to_pylist()
    high = [row | {"value": 1.0, "low": 0.99, "high": 1.0} for row in scores]
    made.tables["scores_with_leaks"] = pa.Table.from_pylist(high, schemas.SCORES)
    found = evidence_of(made)
    del made.tables["scores_with_leaks"]
    assert found.accuracy.value == made.score("scores", made.best)["value"] < 1
    assert (found.with_leaks.value, evidence_of(made).with_leaks) == (1.0, evidence_of(made).accuracy)


def test_leaks_matter_compares_with_the_scores_that_have_them():
    facts = {"accuracy": Score(0.8, 0.7, 0.9), "without_leaks": Score(0.8), "with_leaks": Score(0.95, 0.93, 0.97)}
    found = verdict("leaks-matter", leaks=LeakFacts(judged=9, looked_at=9, leaked=3, dropped=True), **facts)
    assert (found.state, found.threshold) == ("look", 0.93)
    assert "80.0 % rather than 95.0 %" in found.sentence


def test_a_fault_of_most_pictures_is_kept_and_told(made):
    issues = {issue.name: issue for issue in evidence_of(made).issues}
    assert not issues["glare"].told
    assert issues["blur"].told
    most = Issue("blur", 60, 0.6, told=False, adjective="blurred")
    found = verdict("pictures", issues=(most,))
    assert found.state == "look"
    told = "Most pictures are blurred (60.0 %): that is how these pictures are, or a fault of all."
    assert found.sentence == told
    both = verdict("pictures", issues=(most, Issue("darkness", 1, 0.01)))
    assert both.sentence == f"{told} The commonest other fault is darkness: 1 image (1.0 %)."
    assert verdict("pictures", issues=(most, Issue("darkness", 1, 0.5001))).state == "bad"
    assert verdict("pictures", issues=(Issue("blur", 0, 0.0),)).sentence.startswith("No picture is")


def test_leaks_that_are_left_out_are_ok_only_where_all_judged_images_were_looked_at():
    found = verdict("leaks", leaks=LeakFacts(judged=1000, looked_at=500, leaked=30, dropped=True))
    assert found.state == "look"
    assert found.sentence.startswith("30 of 500 judged images that were looked at (6.0 %)")
    assert "Only 500 of 1,000 judged images were looked at." in found.sentence
    assert verdict("leaks", leaks=LeakFacts(judged=500, looked_at=500, leaked=30, dropped=True)).state == "ok"


def test_not_judged_says_no_side_because_both_sides_count():
    found = verdict("not-judged", judged=3, unjudged=Labels())
    assert found.sentence == "Every label that was learnt is judged."
