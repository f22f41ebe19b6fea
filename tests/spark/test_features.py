import hashlib
import logging
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feature_jobs import SIZE, Bench, mean_colour_model, picture

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError, InputError
from fruits_pipeline.session import tables
from fruits_pipeline.state.counts import Change
from fruits_pipeline.state.recipe import Recipe

RED, GREEN = (250, 10, 30), (10, 200, 40)
ODD_NAMES = [
    "a b/c%20d#e+f.jpg",
    "we[ird]/{x},*?.png",
    "back\\slash.jpeg",
    "line\nbreak.webp",
    "Йцу/日本.JPG",
    "colon:in:name.gif",
    "Training/Apple Red 1/x.bmp",
    "quote'\"`.tif",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return mean_colour_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def bench(spark, tmp_path, model, request):
    return Bench(spark, tmp_path, model, **getattr(request, "param", {}))


by_each_reader = pytest.mark.parametrize(
    "bench", [{"reader": "prefetch"}, {"reader": "binaryfile"}], ids=["prefetch", "binaryfile"], indirect=True
)


@by_each_reader
def test_every_image_has_its_own_features_whatever_its_name(bench):
    colours = {name: (10 * n + 5, 3 * n, 200 - 7 * n) for n, name in enumerate(ODD_NAMES)}
    for name, colour in colours.items():
        bench.add(name, picture(colour))
    counts = bench.run()
    table = bench.table("features")
    assert (counts.found, counts.read, counts.rejected) == (len(ODD_NAMES), len(ODD_NAMES), 0)
    for name, colour in colours.items():
        np.testing.assert_allclose(table.loc[name, "features"], colour, atol=1e-4)
        assert tuple(table.loc[name, ["width", "height"]]) == (10, 6)
        assert table.loc[name, "content_sha256"] == hashlib.sha256(picture(colour)).hexdigest()


def test_columns_are_those_of_the_contract(bench):
    bench.add("a/x.png", picture(RED))
    bench.add("a/y.png", b"no image")
    bench.run()
    for dataset, schema in (("features", schemas.FEATURES), ("rejects", schemas.REJECTS)):
        files = [pq.read_schema(file) for file in (bench.output / dataset).glob("wave=*/*.parquet")]
        assert {tuple(found.names) for found in files} == {tuple(schema.names)}
        assert [schemas.differences(pa.schema(list(found)), schema) for found in files] == [[]] * len(files)


def test_trouble_with_one_image_is_a_reject_with_its_reason(spark, tmp_path, model):
    bench = Bench(spark, tmp_path, model, max_bytes=5000, max_pixels=10_000)
    noise = np.random.default_rng(1).integers(0, 255, (60, 60, 3), np.uint8).tobytes()
    trouble = {
        "empty": b"",
        "not_an_image": b"plain text",
        "truncated": picture(RED, "JPEG", (64, 64))[:300],
        "too_many_bytes": picture(RED) + noise,
        "too_many_pixels": picture(RED, "PNG", (200, 200)),
    }
    for reason, content in trouble.items():
        bench.add(f"{reason}.jpg", content)
    bench.add("good.jpg", picture(GREEN))
    counts = bench.run()
    rejects = bench.table("rejects")
    assert counts.reject_reasons == dict.fromkeys(sorted(trouble), 1)
    assert {name: row.reason for name, row in rejects.iterrows()} == {f"{reason}.jpg": reason for reason in trouble}
    assert rejects["detail"].str.len().min() > 0
    assert list(bench.table("features").index) == ["good.jpg"]


def test_nothing_but_rejects_still_adds_up(bench):
    bench.add("a.jpg", b"")
    counts = bench.run()
    assert (counts.found, counts.read, counts.reject_reasons) == (1, 0, {"empty": 1})


@by_each_reader
def test_an_image_that_goes_after_it_was_listed_is_missing(bench):
    bench.add("stays.png", picture(RED))
    gone = bench.add("goes.png", picture(GREEN))
    found = bench.list()
    gone.unlink()
    assert bench.compute(found).reject_reasons == {"missing": 1}
    assert list(bench.table("rejects").index) == ["goes.png"]


@by_each_reader
def test_images_that_are_all_gone_are_all_missing(bench):
    gone = bench.add("goes.png", picture(GREEN))
    found = bench.list()
    gone.unlink()
    counts = bench.compute(found)
    assert (counts.read, counts.reject_reasons) == (0, {"missing": 1})


def test_finished_waves_are_kept_and_a_damaged_one_is_computed_again(bench):
    for n in range(9):
        bench.add(f"{n}.png", picture((n, 0, 0)))
    assert bench.run(wave_images=3).read == 9
    first = bench.waves()
    assert sorted(first) == ["00000", "00001", "00002"]
    bench.run(wave_images=3)
    assert bench.waves() == first
    assert bench.change == Change(kept=9)
    next((bench.output / "features/wave=00001").glob("*.parquet")).unlink()
    assert bench.run(wave_images=3).read == 9
    again = bench.waves()
    assert again["00001"] > first["00001"]
    assert again | {"00001": 0} == first | {"00001": 0}
    assert bench.change == Change(kept=6, computed=3)
    assert len(bench.table("features")) == 9


@pytest.mark.parametrize("left", ["_temporary/0/part-1.parquet", "part-00000-x.parquet", ".x.tmp", "_SUCCESS"])
def test_what_killed_jobs_left_is_swept_and_foreign_files_stay(bench, left):
    bench.add("a.png", picture(RED))
    bench.list()
    ours = [bench.output / f"features/wave=00000/{left}", bench.output / f"rejects/wave=00077/{left}"]
    foreign = bench.output / "features/wave=00077/notes.txt"
    for file in (*ours, foreign):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    bench.run()
    assert not any(file.read_bytes() == b"x" for file in ours if file.exists())
    assert not ours[1].exists()
    assert foreign.read_text() == "x"


def test_a_late_file_in_a_finished_wave_is_not_read(bench):
    bench.add("a.png", picture(RED))
    bench.run()
    folder = bench.output / "features/wave=00000"
    shutil.copy(next(folder.glob("part-*.parquet")), folder / "part-00099-late.parquet")
    assert len(bench.table("features")) == 1
    assert tables.read(bench.spark, bench.snapshot.files("features"), schemas.FEATURES, "features").count() == 1
    bench.run()
    assert bench.files() == bench.named()


def test_a_grown_source_adds_waves_and_computes_its_new_images_alone(bench):
    for n in range(4):
        bench.add(f"{n}.png", picture((n, 0, 0)))
    bench.run(wave_images=2)
    first = bench.waves()
    bench.add("9.png", picture((9, 0, 0)))
    assert bench.run(wave_images=2).read == 5
    assert {wave: bench.waves()[wave] for wave in first} == first
    assert bench.change == Change(kept=4, computed=1)


def test_rows_of_a_wave_that_lost_or_changed_an_image_are_carried(bench):
    for n in range(6):
        bench.add(f"{n}.png", picture((n, 0, 0)))
    bench.add("text.png", b"no image")
    bench.run(wave_images=7)
    bench.add("0.png", picture((77, 0, 0), size=(30, 30)))
    (bench.images / "5.png").unlink()
    assert bench.run(wave_images=7).read == 5
    assert sorted(bench.waves()) == ["00001"]
    assert bench.change == Change(carried=5, computed=1)
    table = bench.table("features")
    np.testing.assert_allclose(table.loc["0.png", "features"], (77, 0, 0), atol=1e-4)
    np.testing.assert_allclose(table.loc["3.png", "features"], (3, 0, 0), atol=1e-4)
    assert sorted(table.index) == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    assert list(bench.table("rejects").index) == ["text.png"]
    assert bench.files() == bench.named()


def test_another_label_shares_the_files_of_the_wave_before(bench):
    colours = {"a.png": (1, 2, 3), "b.png": (4, 5, 6)}
    for name, colour in colours.items():
        bench.add(f"pictures/{name}", picture(colour))
    table = bench.images.with_name("table.csv")
    bench.address = str(table)
    table.write_text("path,label\nimages/pictures/a.png,kiwi\nimages/pictures/b.png,plum\n")
    bench.run()
    features, digest = sorted((bench.output / "features").rglob("*.parquet")), bench.snapshot.digest
    table.write_text("path,label\nimages/pictures/a.png,plum\nimages/pictures/b.png,plum\n")
    assert bench.run().read == 2
    assert bench.change == Change(kept=2)
    assert sorted((bench.output / "features").rglob("*.parquet")) == features
    assert bench.snapshot.digest != digest
    assert list(bench.table("manifest")["label"]) == ["plum", "plum"]
    assert bench.files() == bench.named()


@by_each_reader
@pytest.mark.parametrize("names", [("a.png",), ("a.png", "b.png", "c.png")])
def test_an_image_that_was_missing_is_computed_when_it_is_back(bench, names):
    for name in names:
        bench.add(name, picture(GREEN))
    plan = bench.list()
    hidden = bench.images.with_name("hidden.png")
    (bench.images / "a.png").rename(hidden)
    assert bench.compute(plan).reject_reasons == {"missing": 1}
    first = bench.waves()
    assert bench.compute(plan).reject_reasons == {"missing": 1}
    assert bench.waves() == first
    hidden.rename(bench.images / "a.png")
    assert bench.run().read == len(names)
    assert bench.change == Change(carried=len(names) - 1, computed=1)
    assert bench.files() == bench.named()


def test_unfinished_work_is_refused_by_another_recipe_and_finished_work_stays(bench, golden, caplog):
    caplog.set_level(logging.INFO, "fruits_pipeline")
    for n in range(4):
        bench.add(f"{n}.png", picture((n, 0, 0)))
    bench.run(wave_images=2)
    bench.recipe = Recipe(settings={"size": SIZE}, made_by={"engine": 2})
    assert bench.run(wave_images=2).read == 4
    assert "finished features are kept, although new ones would be computed differently: engine: 1 -> 2" in caplog.text
    (bench.images / "0.png").unlink()
    assert bench.run(wave_images=2).read == 3
    assert {wave.recipe.made_by["engine"] for wave in bench.snapshot.waves} == {1}
    bench.add("9.png", picture(RED))
    with pytest.raises(DatasetError) as told:
        bench.run(wave_images=2)
    golden("another_recipe", str(told.value), output=bench.output)


def test_too_many_rejects_stop_the_job_and_keep_its_waves(spark, tmp_path, model, golden):
    bench = Bench(spark, tmp_path, model, max_reject_share=0.25)
    for n in range(3):
        bench.add(f"{n}.png", picture((n, 0, 0)))
    bench.add("x.png", b"text")
    bench.add("y.png", b"")
    with pytest.raises(InputError) as told:
        bench.run()
    golden("too_many_rejects", str(told.value), output=bench.output)
    assert list(bench.waves()) == ["00000"]


def test_the_session_is_as_it_was_when_the_job_ends(bench):
    name = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = bench.spark.conf.get(name)
    bench.add("a.png", picture(RED))
    bench.run()
    assert bench.spark.conf.get(name) == before


def test_the_same_pixels_give_the_same_features_in_any_batch(spark, tmp_path, model):
    tables = []
    for batch_rows in (32, 1):
        bench = Bench(spark, tmp_path / str(batch_rows), model, batch_rows=batch_rows)
        for n in range(10):
            bench.add(f"{n}.png", picture((n * 20, 3, 7)))
        bench.run()
        tables.append(bench.table("features")["features"].sort_index().map(tuple))
    pd.testing.assert_series_equal(*tables)


def test_small_images_earn_one_hint_however_many_waves(spark, tmp_path, model, caplog):
    caplog.set_level(logging.INFO, "fruits_pipeline")
    bench = Bench(spark, tmp_path, replace(model, image_size=224))
    for n in range(3):
        bench.add(f"{n}.png", picture(RED, size=(30, 20)))
    bench.run(wave_images=1)
    (line,) = [line for line in caplog.messages if line.startswith("hint:")]
    assert "at most 30x20 pixels: --image-size" in line
