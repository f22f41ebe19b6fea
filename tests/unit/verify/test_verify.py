import os
import subprocess
import sys

import pytest

from fruits_pipeline.cli import main
from fruits_pipeline.state.plan import load_plan
from outputs import contents
from whole_output import edit, finish, planned, replan

FEATURES = "features/wave=00001/part-00000.parquet"
MANIFEST = "manifest/wave=00001/part-00000.parquet"
REJECTS = "rejects/wave=00001/part-00000.parquet"
MARKER = "_state/waves/00001.json"


def test_a_whole_output_is_told_as_whole_in_one_line(store, verify, output):
    files = sum(not name.startswith("_state") for name in contents(output))
    read = []
    for flags in ((), ("--deep",)):
        code, lines, error = verify(*flags)
        assert (code, error) == (0, "")
        (line,) = lines
        expected = "whole: 2 of 2 batches done, 9 images, found 10 = read 7 + rejected 2 + skipped 1 + pending 0, "
        assert line.startswith(f"{expected}{files} files checked, ")
        read.append(int(line.removesuffix(" bytes read").rpartition(" ")[2]))
    data = sum(found.length for found in store.objects() if not found.key.startswith("_state"))
    assert 0 < read[0] < data <= read[1]


def test_nothing_is_written(store, verify, tmp_path):
    store.write("features/wave=00009/.part-00000.parquet.tmp", b"leftover")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert verify()[0] == verify("--deep")[0] == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.usefixtures("store")
def test_neither_spark_nor_an_engine_is_imported(output):
    code = (
        "import sys; from fruits_pipeline.cli import main; code = main(sys.argv[1:]); "
        "print(sorted({'pyspark', 'py4j', 'tensorflow', 'openvino'} & set(sys.modules))); sys.exit(code)"
    )
    words = [sys.executable, "-c", code, "verify", "--deep", "--output-uri", str(output)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=os.environ)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_output_that_is_not_there_is_one_line(capsys, golden, tmp_path):
    assert main(["verify", "--output-uri", str(tmp_path / "none")]) == 5
    said = capsys.readouterr()
    assert said.out == ""
    golden("verify_none", said.err, output=f"file://{tmp_path}/none")
    assert not (tmp_path / "none").exists()


def test_an_output_of_another_version_is_told_as_such_whatever_its_markers_look_like(store, verify):
    edit(store, "_state/snapshot.json", version=1)
    store.write("_state/reduce.json", b'{"settings": "as that version spelled them"}')
    code, _, error = verify()
    assert code == 5
    assert "found one of version 1" in error


def test_a_damaged_marker_is_told(store, verify):
    store.write(MARKER, b"{}")
    code, _, error = verify()
    assert code == 5
    assert MARKER in error


@pytest.mark.parametrize("key", [FEATURES, MANIFEST, REJECTS, "models/reduce/metadata/part-00000"])
def test_a_file_that_is_gone_is_missing(store, told, key):
    store.delete([key])
    told(f"missing_{key.split('/')[0]}")


@pytest.mark.parametrize("flags", [(), ("--deep",)])
def test_a_file_that_is_shorter_is_told_with_both_lengths_and_not_read(store, verify, flags):
    content = store.read(FEATURES)
    store.write(FEATURES, content[:-7])
    code, lines, _ = verify(*flags)
    expected = f"expected {len(content)} bytes as the record of batch 00001 says, found {len(content) - 7}"
    assert code == 5
    assert lines[:-1] == [f"length: {FEATURES}: {expected}"]


@pytest.mark.parametrize(
    "key", [FEATURES, REJECTS, MANIFEST, "exports/json/part-00000.json", "reduced/part-00000.parquet"]
)
def test_a_flipped_byte_is_seen_by_deep_alone(store, verify, told, key):
    content = bytearray(store.read(key))
    # In the name of the program that wrote the file, which changes no row.
    content[max(content.find(b"parquet-cpp"), 0)] ^= 1
    store.write(key, bytes(content))
    assert verify()[0] == 0
    told(f"checksum_{key.split('/')[0]}", "--deep")


def test_files_of_somebody_else_are_faults(store, told):
    store.write("features/wave=00001/mine.parquet", b"of somebody else")
    store.write("evaluation/notes.txt", b"of somebody else")
    store.write("reduced/part-00007.parquet", b"readers of the folder read it")
    store.write("exports/csv/part-00000.csv", b"of a room that never began")
    told("foreign")


def test_leftovers_are_told_and_are_no_fault(store, told):
    store.write("features/wave=00007/_temporary/0/part-00000.parquet", b"of a wave that was killed")
    store.write("rejects/wave=00001/.part-00000.parquet.tmp", b"of a write that was killed")
    store.write("reduced/_temporary/0/part-00000.parquet", b"of a task that was killed")
    told("leftover", code=0)


def test_data_of_no_wave_is_a_fault_because_readers_of_the_folder_count_it(store, told):
    store.write("features/wave=00001/part-00009.parquet", b"of another wave")
    told("stray")


def test_waves_without_a_plan_are_a_fault(store, told):
    store.delete(["_state/snapshot.json"])
    told("no_plan")


def test_a_replaced_wave_whose_marker_still_stands_is_a_leftover(store, told, tmp_path):
    finish(store, planned(store, "00002", tmp_path, ["Cherry/1.jpg", "Cherry/2.jpg"]))
    told("leftover_wave", code=0)


def test_at_most_20_of_each_kind_are_named(store, told):
    for number in range(25):
        store.write(f"predictions/{number:02d}.txt", b"x")
    told("capped")


def test_waves_without_a_marker_are_unfinished(store, told):
    store.delete([MARKER])
    expected = "1 of 2 batches done, 9 images, found 10 = read 3 + rejected 1 + skipped 1 + pending 5"
    assert expected in told("unfinished")


def test_a_marker_of_another_digest_is_of_an_unfinished_wave(store, told):
    edit(store, MARKER, digest="0" * 64)
    told("another_digest")


def test_a_plan_without_waves_is_unfinished(store, told):
    for folder in ("manifest", "features", "rejects", "_state/waves"):
        store.delete([found.key for found in store.objects(folder)])
    replan(store)
    told("no_waves")


def test_a_pack_is_whole_without_features(pack, verify):
    assert pack.stat("_state/waves/00000.json") is None
    for flags in ((), ("--deep",)):
        code, lines, _ = verify(*flags)
        assert code == 0
        assert lines[0].startswith("whole: 2 of 2 batches done, 9 images, ")


def test_a_wave_that_is_not_packed_is_told(pack, told):
    pack.delete(["_state/packed/00001.json"])
    told("pack_unfinished")


def test_a_pack_of_other_counts_is_told(pack, told):
    edit(pack, "_state/packed/00001.json", images=6)
    told("pack_counts", "--deep")


def test_a_replaced_wave_that_was_packed_is_a_leftover(pack, told):
    first, second = load_plan(pack).waves
    replan(pack, first)
    pack.delete([second.manifest.key])
    told("leftover_pack", code=0)
