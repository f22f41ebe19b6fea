"""The plan of waves: which waves stay, which are replaced and from what, and which names they get."""

from datetime import timedelta

import pytest
from waves_of import THEN, Told, finish, manifest_of, rows_of

from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest import plan_waves as room
from fruits_pipeline.state.snapshot import load_waves, snapshot_of
from fruits_pipeline.storage.table import TableSource

LATER = THEN + timedelta(microseconds=1)


def waves(plan):
    return {wave.wave: wave for wave in plan.waves}


def names_of(store, plan):
    """The last letters of each wave's paths."""
    return {wave: "".join(row.path[-1] for row in rows) for wave, rows in manifest_of(store, plan).items()}


def written(store):
    return {found.key: found for found in store.objects()}


def test_a_fresh_listing_is_cut_in_order_into_full_waves_that_count_images_alone(store, planned):
    hidden = rows_of(["a1", "d1", "d2", "g1"], skip_reason="hidden")
    plan = planned([*reversed(rows_of("abcdefg")), *hidden], wave_images=2)
    assert names_of(store, plan) == {"00000": "a1b", "00001": "cd12", "00002": "ef", "00003": "g1"}
    assert [wave.counts.images for wave in plan.waves] == [2, 2, 2, 1]
    assert [wave.sources for wave in plan.waves] == [()] * 4
    assert (plan.next_wave, plan.source_root, plan.packed) == (4, "file:///in", None)
    counts = plan.counts
    assert (counts.found, counts.pending, counts.skipped, counts.skip_reasons) == (11, 7, 4, {"hidden": 4})
    assert plan.change.model_dump() == {"kept": 0, "carried": 0, "computed": 7, "relabelled": 0, "gone": 0}


def test_a_wave_is_full_of_rows_too_however_few_of_them_are_images(store, planned):
    hidden = rows_of("abcdefgh", skip_reason="hidden")
    plan = planned([*hidden, *rows_of("klmn")], wave_images=2, wave_rows=3)
    assert names_of(store, plan) == {"00000": "abc", "00001": "def", "00002": "ghk", "00003": "lm", "00004": "n"}
    assert planned(rows_of("abcde"), wave_images=4, wave_rows=3).counts.images == 5
    assert names_of(store, planned(rows_of("abcde"), wave_images=4, wave_rows=3)) == {"00000": "abcd", "00001": "e"}


@pytest.mark.parametrize(
    ("letters", "found"),
    [("abcd", ["abcd"]), ("abcdefg", ["abcd", "efg"]), ("abcdefgh", ["abc", "def", "gh"]), ("a", ["a"])],
)
def test_new_waves_of_no_given_number_are_of_one_size_and_stand_when_a_row_changes(store, planned, letters, found):
    plan = planned(rows_of(letters), wave_images=3, nearly=True)
    assert [*names_of(store, plan).values()] == found
    changed = [rows_of(letters[0], length=7)[0], *rows_of(letters[1:])]
    again = planned(changed, plan, wave_images=3, nearly=True)
    assert sorted(names_of(store, again).values()) == found


def test_all_images_after_a_trial_with_a_sample_come_in_waves_of_the_usual_number(planned):
    rows = rows_of("abcdefghijkl", label="x")
    trial = planned(rows, sample=2)
    assert [(wave.counts.images, wave.counts.found) for wave in trial.waves] == [(2, 12)]
    plan = planned(rows, trial, finished={"00000"})
    assert [wave.counts.images for wave in plan.waves] == [2] * 6
    assert {wave.sources for wave in plan.waves} == {("00000",)}
    assert [wave.wave for wave in plan.waves] == [f"0000{number}" for number in range(1, 7)]
    assert (plan.next_wave, plan.change.kept, plan.change.computed) == (7, 2, 10)
    assert planned(rows, plan).waves == plan.waves


def test_waves_of_a_larger_machine_are_cut_anew_where_something_is_to_be_computed(store, planned):
    plan = planned(rows_of("abcdefgh"), wave_images=4)
    rows = [*rows_of("abcd", label="x"), *rows_of("efg"), *rows_of("h", length=2)]
    finished = planned(rows, plan, finished={"00000", "00001"})
    assert names_of(store, finished) == {"00002": "abcd", "00003": "ef", "00004": "gh"}
    assert [wave.sources for wave in finished.waves] == [("00000",), ("00001",), ("00001",)]
    unfinished = planned(rows, plan)
    assert [wave.counts.images for wave in unfinished.waves] == [2] * 4
    assert names_of(store, planned(rows_of("abcdef"), plan, finished={"00000", "00001"})) == {
        "00000": "abcd",
        "00002": "ef",
    }


def test_a_source_that_has_not_changed_writes_nothing_and_gives_the_same_waves(store, planned, monkeypatch):
    rows = rows_of("abcde", label="x") + rows_of("f", skip_reason="hidden")
    plan = planned(rows)
    before = written(store)
    monkeypatch.delattr(room._Writer, "write")  # because a second pass over millions of rows is not for nothing
    again = planned(rows[::-1], plan, wave_images=3)
    assert (again.waves, again.next_wave, written(store)) == (plan.waves, plan.next_wave, before)
    assert again.change.model_dump() == {"kept": 5, "carried": 0, "computed": 0, "relabelled": 0, "gone": 0}


def test_what_is_added_gets_new_waves_and_the_old_ones_stay_as_they_are(store, planned):
    plan = planned(rows_of("bdf"))
    before = written(store)
    again = planned(rows_of("abcdefg"), plan)
    assert {wave.wave: wave for wave in plan.waves}.items() <= waves(again).items()
    assert before.items() <= written(store).items()
    assert names_of(store, again) == {"00000": "bd", "00001": "f", "00002": "ac", "00003": "eg"}
    assert [wave.wave for wave in again.waves] == ["00002", "00000", "00003", "00001"]
    assert (again.change.kept, again.change.computed) == (3, 4)


def test_however_many_waves_are_rewritten_few_files_are_open_at_once(planned, monkeypatch):
    plan = planned(rows_of("abcdefghijkl"))
    open_now, most = set(), []

    class Counted(room.ManifestWriter):
        def __init__(self, wave, *rest):
            super().__init__(wave, *rest)
            open_now.add(wave)
            most.append(len(open_now))

        def put(self, store):
            done = super().put(store)
            open_now.remove(done.wave)
            return done

    monkeypatch.setattr(room, "ManifestWriter", Counted)
    again = planned(rows_of("abcdefghijkl", label="x"), plan)
    assert (len(again.waves), again.change.relabelled, open_now) == (6, 12, set())
    assert max(most) <= 2


def test_another_spelling_of_the_same_paths_computes_nothing_and_is_followed(store, planned):
    plan = planned(rows_of("ab", source_path="in/x"))
    again = planned(rows_of("ab", source_path="/in/x"), plan, finished={"00000"})
    assert (again.change.relabelled, again.change.computed, again.waves[0].sources) == (2, 0, ("00000",))
    assert again.waves[0].digest != plan.waves[0].digest
    assert {row.source_path for row in manifest_of(store, again)["00001"]} == {"/in/x"}


CHANGES = {
    "gone": rows_of("a"),
    "longer": [*rows_of("a"), *rows_of("b", length=2)],
    "newer": [*rows_of("a"), *rows_of("b", modified=LATER)],
    "skipped": [*rows_of("a"), *rows_of("b", skip_reason="not_sampled")],
    "labelled": [*rows_of("a"), *rows_of("b", label="x")],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_wave_that_lost_or_changed_a_row_is_replaced_by_one_that_may_take_over_its_features(store, planned, change):
    plan = planned(rows_of("abcd"))
    again = planned([*CHANGES[change], *rows_of("cd")], plan, finished={"00000", "00001"})
    assert names_of(store, again) == {"00002": "a" if change == "gone" else "ab", "00001": "cd"}
    assert (waves(again)["00002"].sources, waves(again)["00001"]) == (("00000",), waves(plan)["00001"])
    assert manifest_of(store, again)["00002"] == CHANGES[change]


def test_a_replaced_wave_that_was_not_finished_hands_on_its_own_finished_sources(planned):
    plan = planned(rows_of("ab", label="1"), finished=())
    second = planned(rows_of("ab", label="2"), plan, finished={"00000"})
    third = planned(rows_of("ab", label="3"), second, finished={"00000"})
    assert [waves(third)[name].sources for name in ("00002",)] == [("00000",)]
    assert waves(planned(rows_of("ab", label="4"), third, finished=()))["00003"].sources == ()
    assert waves(planned(rows_of("ab", label="4"), third, finished={"00002", "00000"}))["00003"].sources == ("00002",)


def test_a_name_is_never_used_twice_even_when_its_wave_is_gone_or_no_plan_was_saved(store, planned):
    plan = planned(rows_of("abcd"))
    before = written(store)
    shrunk = planned(rows_of("ab"), plan)
    assert ([wave.wave for wave in shrunk.waves], shrunk.next_wave) == (["00000"], 2)
    assert written(store).keys() == before.keys()
    grown = planned(rows_of("abef"), shrunk)
    assert [wave.wave for wave in grown.waves] == ["00000", "00002"]
    again = planned(rows_of("abefg"), shrunk)  # because the ingest before was killed before it saved its plan
    assert [wave.wave for wave in again.waves] == ["00000", "00002", "00003"]


def test_an_ingest_that_was_killed_before_its_plan_was_saved_is_done_anew(store, planned):
    plan = planned(rows_of("ab"))
    lost = planned(rows_of("abcd"), plan)
    again = planned(rows_of("abce"), plan)
    assert [wave.wave for wave in again.waves] == [wave.wave for wave in lost.waves] == ["00000", "00001"]
    assert names_of(store, again) == {"00000": "ab", "00001": "ce"}
    for wave in again.waves:
        assert store.checksum(wave.manifest.key) == wave.manifest.checksum


def test_a_skipped_file_that_changes_gives_another_manifest_and_the_same_snapshot(store, planned):
    notes = rows_of(["b1"], skip_reason="not_an_image_name")
    plan = planned([*rows_of("abc"), *notes])
    for wave in plan.waves:
        finish(store, wave)
    before = snapshot_of(store, plan, load_waves(store)).digest
    again = planned([*rows_of("abc"), notes[0]._replace(length=9)], plan, finished={"00000", "00001"})
    replaced = waves(again)["00002"]
    assert (replaced.digest, replaced.sources) == (waves(plan)["00000"].digest, ("00000",))
    assert replaced.manifest.checksum != waves(plan)["00000"].manifest.checksum
    found = load_waves(store)
    found["00002"] = found["00000"].model_copy(update={"wave": "00002", "manifest": replaced.manifest})
    assert snapshot_of(store, again, found).digest == before


def test_a_new_skipped_file_comes_into_a_wave_without_images(store, planned):
    plan = planned(rows_of("ab"))
    again = planned([*rows_of("ab"), *rows_of("c", skip_reason="hidden")], plan)
    assert (names_of(store, again), again.waves[1].counts.images) == ({"00000": "ab", "00001": "c"}, 0)
    assert again.change.model_dump() == plan.change.model_dump() | {"kept": 2, "computed": 0}


def test_the_sample_skips_others_and_taking_more_rewrites_just_the_waves_that_get_some(store, planned):
    rows = rows_of(["p/1", "p/2", "p/3"], label="p") + rows_of(["q/1"], label="q")
    plan = planned(rows, sample=1, wave_images=1)
    assert plan.counts.skip_reasons == {"not_sampled": 2}
    all_of_them = planned(rows, plan, sample=3, wave_images=1)
    assert (all_of_them.counts.pending, all_of_them.counts.skipped) == (4, 0)
    assert (all_of_them.change.kept, all_of_them.change.computed) == (2, 2)
    (kept,) = (
        wave for wave in plan.waves if wave.counts.images and "q/" in manifest_of(store, plan)[wave.wave][-1].path
    )
    assert waves(all_of_them)[kept.wave] == kept
    back = planned(rows, all_of_them, sample=1, wave_images=1)
    assert (back.counts, back.change.gone) == (plan.counts, 2)


@pytest.mark.parametrize("order", [1, -1])
def test_a_path_that_a_listing_names_twice_is_taken_once_also_across_batches(store, planned, order):
    rows = rows_of("aabbbbbccd")[::order]
    plan = planned(Told(rows, batch=10), wave_images=10)
    assert names_of(store, plan) == {"00000": "abcd"}
    again = planned(Told(rows, batch=1), plan, wave_images=10)
    assert (again.waves, again.change.kept, again.counts.found) == (plan.waves, 4, 4)


def test_a_table_that_names_a_path_twice_is_refused(planned, golden):
    class Table(TableSource):
        root = "file:///in"

        def tables(self):
            return Told(rows_of("abccdeef")).tables()

    with pytest.raises(InputError) as refused:
        planned(Table("file:///photos.csv"))
    golden("table_path_twice", str(refused.value))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("some", rows_of(["a/.x.jpg", "_a"], skip_reason="hidden") + rows_of("n", skip_reason="not_an_image_name")),
        ("none", []),
    ],
)
def test_a_source_without_an_image_is_told_with_what_was_there(store, planned, golden, name, rows):
    class Source(Told):
        def __str__(self):
            return "file:///photos"

    with pytest.raises(InputError) as told:
        planned(Source(rows))
    golden(f"no_image_among_{name}", str(told.value), source="/photos")
    assert written(store) == {}
