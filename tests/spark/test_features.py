import hashlib
import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feature_jobs import Bench, mean_colour_model, picture

from fruits_pipeline import schemas
from fruits_pipeline.errors import InputError

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
    assert table.loc["Training/Apple Red 1/x.bmp", "label"] == "Apple Red 1"


def test_columns_are_those_of_the_contract(bench):
    bench.add("a/x.png", picture(RED))
    bench.add("a/y.png", b"no image")
    bench.run()
    for dataset, schema in (("features", schemas.FEATURES), ("rejects", schemas.REJECTS)):
        files = [pq.read_schema(file) for file in (bench.output / dataset).glob("wave=*/*.parquet")]
        assert {tuple(found.names) for found in files} == {tuple(schema.names)}
        assert [schemas.differences(pa.schema(list(found)), schema) for found in files] == [[]] * len(files)


def test_an_image_without_a_split_gets_one_from_its_content(bench):
    for n in range(60):
        bench.add(f"Kiwi/{n}.png", picture((n, 0, 0)))
        bench.add(f"Kiwi/twin-{n}.png", picture((n, 0, 0)))
    bench.add("Test/Kiwi/x.png", picture((0, 0, 0)))
    bench.run()
    table = bench.table("features")
    assert set(table["split"]) == {"train", "test"}
    assert 0.6 < (table["split"] == "train").mean() < 0.95
    assert table.loc["Test/Kiwi/x.png", "split"] == "test"
    hashed = table.drop("Test/Kiwi/x.png")[["content_sha256", "split"]].drop_duplicates()
    assert hashed["content_sha256"].is_unique


def test_a_fraction_beats_the_folders(spark, tmp_path, model):
    bench = Bench(spark, tmp_path, model, train_split=0.5)
    for n in range(40):
        bench.add(f"Training/Kiwi/{n}.png", picture((n, 9, 0)))
    bench.run()
    assert set(bench.table("features")["split"]) == {"train", "test"}


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
    next((bench.output / "features/wave=00001").glob("*.parquet")).unlink()
    assert bench.run(wave_images=3).read == 9
    again = bench.waves()
    assert again["00001"] > first["00001"]
    assert again | {"00001": 0} == first | {"00001": 0}
    assert len(bench.table("features")) == 9


def test_what_an_unfinished_wave_left_is_swept_and_foreign_files_stay(bench):
    bench.add("a.png", picture(RED))
    found = bench.list()
    bench.begin()
    left = bench.output / "features/wave=00000/_temporary/0/part-1.parquet"
    other = bench.output / "rejects/wave=00077/part-00000-x.parquet"
    foreign = bench.output / "features/wave=00077/notes.txt"
    for file in (left, other, foreign):
        file.parent.mkdir(parents=True)
        file.write_text("x")
    bench.compute(found)
    assert not left.exists()
    assert not other.exists()
    assert foreign.read_text() == "x"


def test_a_grown_source_adds_waves_and_a_changed_image_renames_its_wave(bench):
    for n in range(4):
        bench.add(f"{n}.png", picture((n, 0, 0)))
    bench.run(wave_images=2)
    first = bench.waves()
    bench.add("9.png", picture((9, 0, 0)))
    assert bench.run(wave_images=2).read == 5
    assert {wave: bench.waves()[wave] for wave in first} == first
    bench.add("0.png", picture((77, 0, 0), size=(30, 30)))
    assert bench.run(wave_images=2).read == 5
    assert sorted(bench.waves()) == ["00001", "00002", "00003"]
    table = bench.table("features")
    np.testing.assert_allclose(table.loc["0.png", "features"], (77, 0, 0), atol=1e-4)
    assert sorted(table.index) == ["0.png", "1.png", "2.png", "3.png", "9.png"]


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
