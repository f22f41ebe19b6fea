"""What a wave takes over from finished ones: whole, in part, or nothing."""

from datetime import timedelta

import pytest
from waves_of import RECIPE, THEN, finish, rows_of

from fruits_pipeline import schemas
from fruits_pipeline.features.takeover import RETRYABLE, images_of, retryable, takeover
from fruits_pipeline.images.reason import Reason

D_TRUNCATED = {"file:///in/d": Reason.TRUNCATED.value}


def names(paths):
    return "".join(path[-1] for path in paths)


@pytest.fixture
def before(planned):
    """The plan of one wave ``abcd``."""
    return planned(rows_of("abcd"), wave_images=4)


@pytest.fixture
def having(store, planned, before):
    """What the wave that replaces ``abcd`` takes over when that wave ended with ``rejects``."""

    def take(rows, rejects=None, **how):
        marker = finish(store, before.waves[0], rejects)
        wave = next(wave for wave in planned(rows, before, finished={"00000"}).waves if wave.wave == "00001")
        assert wave.sources == ("00000",)
        return takeover(store, wave, {"00000": marker}, **how)

    return take


def told(has):
    return names(has.carried), names(has.rejects["path"].to_pylist()), names(has.pending["path"].to_pylist())


@pytest.mark.parametrize("rejects", [None, D_TRUNCATED])
def test_a_wave_of_the_same_images_is_taken_whole(before, having, rejects):
    has = having([*rows_of("abcd", label="x"), *rows_of("n", skip_reason="hidden")], rejects)
    assert (has.whole.wave, has.whole.digest, has.recipe) == ("00000", before.waves[0].digest, RECIPE)
    assert (has.features, has.carried, len(has.pending)) == ((), (), 0)
    assert has.pending.schema.names == ["path", "length", "modified"]


def test_images_that_are_left_are_carried_from_the_files_of_the_source(store, having):
    has = having(rows_of("abc"), D_TRUNCATED)
    assert (has.whole, told(has), has.recipe) == (None, ("abc", "", ""), RECIPE)
    assert has.features == (f"{store.root}/features/wave=00000/part-00000.parquet",)


def test_rejects_that_follow_from_the_bytes_are_copied(having):
    has = having(rows_of("bcd"), D_TRUNCATED)
    assert told(has) == ("bc", "d", "")
    assert has.rejects.schema == schemas.REJECTS
    assert has.rejects.to_pylist() == [{"path": "file:///in/d", "length": 1, "reason": "truncated", "detail": "why"}]


def test_a_source_of_which_nothing_was_read_gives_no_files_of_features(having):
    has = having(rows_of("cd"), {f"file:///in/{name}": "truncated" for name in "abcd"})
    assert (told(has), has.features) == (("", "cd", ""), ())


def test_those_are_tried_again_that_do_not_follow_from_the_bytes():
    assert {reason.value for reason in RETRYABLE} == {"missing", "forbidden", "unreadable", "timeout", "killed"}


@pytest.mark.parametrize("reason", sorted(RETRYABLE))
@pytest.mark.parametrize("rows", [rows_of("abcd", label="x"), rows_of("bcd")], ids=["relabelled", "one gone"])
def test_rejects_that_another_try_may_mend_are_pending_again(having, reason, rows):
    has = having(rows, {"file:///in/c": reason.value} | D_TRUNCATED)
    assert has.whole is None
    assert told(has) == (names(row.path for row in rows if row.path[-1] in "ab"), "d", "c")
    assert has.with_refused


def test_where_nothing_may_be_computed_they_stay_rejects(having):
    has = having(rows_of("bcd"), {"file:///in/c": "missing"} | D_TRUNCATED, retry=False)
    assert (told(has), has.with_refused) == (("b", "cd", ""), False)
    assert having(rows_of("abcd", label="x"), {"file:///in/c": "missing"}, retry=False).whole is not None


@pytest.mark.parametrize(
    "change", [{"length": 2}, {"length": None}, {"modified": THEN + timedelta(microseconds=1)}, {"modified": None}]
)
@pytest.mark.parametrize("back", [False, True])
def test_changed_images_are_pending_also_those_that_were_rejected(store, planned, change, back):
    facts = ({}, change) if not back else (change, {})
    plan = planned(rows_of("ab", **facts[0]) + rows_of("cd"), wave_images=4)
    marker = finish(store, plan.waves[0], {"file:///in/b": "truncated"})
    again = planned(rows_of("ab", **facts[1]) + rows_of("cd"), plan, 4, finished={"00000"})
    has = takeover(store, again.waves[0], {"00000": marker})
    assert (has.whole, told(has)) == (None, ("cd", "", "ab"))


def test_an_image_that_was_skipped_is_pending(store, planned):
    plan = planned([*rows_of("a"), *rows_of("b", skip_reason="not_sampled")])
    marker = finish(store, plan.waves[0])
    again = planned(rows_of("ab"), plan, finished={"00000"})
    assert told(takeover(store, again.waves[0], {"00000": marker})) == ("a", "", "b")


def test_nulls_of_length_and_time_are_equal_to_nulls(store, planned):
    plan = planned(rows_of("ab", length=None, modified=None))
    marker = finish(store, plan.waves[0])
    again = planned(rows_of("ab", length=None, modified=None, label="x"), plan, finished={"00000"})
    assert takeover(store, again.waves[0], {"00000": marker}).whole == marker


def test_the_sources_of_a_wave_that_was_replaced_before_it_was_finished_serve_the_next_one(store, planned, before):
    marker = finish(store, before.waves[0])
    second = planned(rows_of("abcd", label="x") + rows_of("e"), before, finished={"00000"})
    third = planned(rows_of("abd", label="y") + rows_of("e"), second, 4, finished={"00000"})
    replaced = next(wave for wave in third.waves if wave.sources)
    assert told(takeover(store, replaced, {"00000": marker})) == ("abd", "", "")


def test_a_wave_without_a_finished_source_computes_all_its_images(store, before):
    for wave in (before.waves[0], before.waves[0].model_copy(update={"sources": ("00007",)})):
        has = takeover(store, wave, {})
        assert (has.whole, has.features, told(has), has.recipe) == (None, (), ("", "", "abcd"), None)
        assert has.rejects.schema == schemas.REJECTS
    assert images_of(store, before.waves[0]).equals(has.pending)


def test_two_sources_share_the_images_of_one_wave(store, planned, before):
    first = finish(store, before.waves[0])
    grown = planned(rows_of("abcdefg"), before, wave_images=3)
    second = finish(store, grown.waves[1], {"file:///in/f": "truncated"})
    wave = planned(rows_of("abcefg", label="x"), wave_images=9).waves[0]
    has = takeover(store, wave.model_copy(update={"sources": ("00000", "00001")}), {"00000": first, "00001": second})
    assert (has.whole, told(has), len(has.features)) == (None, ("abceg", "f", ""), 2)


def test_rejects_that_may_be_tried_again_are_given_by_wave(store, planned):
    plan = planned(rows_of("abcdef"))
    reasons = [{"file:///in/a": "truncated", "file:///in/b": "missing"}, {"file:///in/c": "empty"}, {}]
    markers = [finish(store, wave, rejects) for wave, rejects in zip(plan.waves, reasons, strict=True)]
    found = retryable(store, markers)
    assert {wave: rows["path"].to_pylist() for wave, rows in found.items()} == {"00000": ["file:///in/b"]}
    assert found["00000"].schema == schemas.REJECTS
