"""One set of images by every kind of source: equal results."""

import shutil

import numpy as np
import pytest

from outputs import record, table


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory):
    """The drawn sample, and beside it what cannot be used."""
    folder = tmp_path_factory.mktemp("images")
    shutil.copytree(sample, folder, dirs_exist_ok=True)
    (folder / "Training/Apple/empty.jpg").touch()
    (folder / "Training/Apple/text.jpg").write_text("no image")
    (folder / "notes.txt").write_text("no image")
    return folder


@pytest.fixture
def direct(folder, tmp_path, command):
    output = tmp_path / "direct"
    ended = command("extract", "--data-source", folder, "--output-uri", output)
    assert ended.code == 0, ended.err
    return output


def assert_same_features(one, other, root) -> None:
    features = [table(output, "features", root) for output in (one, other)]
    columns = ["path", "content_sha256", "width", "height"]
    assert features[0][columns].equals(features[1][columns])
    np.testing.assert_allclose(*(np.stack(frame["features"].to_list()) for frame in features), atol=1e-5)
    manifests = [table(output, "manifest", root) for output in (one, other)]
    known = manifests[1].set_index("path").loc[features[0]["path"], ["label", "split"]]
    assert manifests[0].set_index("path").loc[features[0]["path"], ["label", "split"]].equals(known)


def test_a_pack_gives_what_its_source_gives(folder, direct, command, tmp_path):
    pack = command("pack", "--data-source", folder, "--output-uri", tmp_path / "pack", "--wave-images", "60")
    assert pack.code == 0, pack.err
    counts = record(tmp_path / "pack")["counts"]
    assert (counts["found"], counts["read"], counts["skipped"]) == (131, 130, 1)
    again = command("pack", "--data-source", folder, "--output-uri", tmp_path / "pack", "--wave-images", "60")
    assert again.code == 0, again.err
    assert "packed batch" not in again.err
    ended = command("extract", "--data-source", tmp_path / "pack", "--output-uri", tmp_path / "output")
    assert ended.code == 0, ended.err
    assert "reader=packed" in ended.err
    assert record(tmp_path / "output")["counts"] == record(direct)["counts"]
    assert_same_features(direct, tmp_path / "output", folder)


def test_a_table_gives_what_its_images_give(folder, direct, command, tmp_path):
    lines = (f"{file.relative_to(folder)}\n" for file in sorted(folder.rglob("*.jpg")))
    (folder / "photos.csv").write_text("path\n" + "".join(lines) + "gone.jpg\n")
    ended = command("extract", "--data-source", folder / "photos.csv", "--output-uri", tmp_path / "output")
    (folder / "photos.csv").unlink()
    assert ended.code == 0, ended.err
    found = record(tmp_path / "output")["counts"]
    assert found["reject_reasons"] == {"empty": 1, "missing": 1, "not_an_image": 1}
    assert found["read"] == record(direct)["counts"]["read"]
    assert_same_features(direct, tmp_path / "output", folder)


def test_a_pack_follows_its_source(folder, command, tmp_path):
    words = ("pack", "--data-source", tmp_path / "images", "--output-uri", tmp_path / "pack", "--wave-images", "60")
    shutil.copytree(folder, tmp_path / "images")
    assert command(*words).code == 0
    before = set((tmp_path / "pack/packed").rglob("*.parquet"))
    next((tmp_path / "images/Training/Apple").glob("*.jpg")).unlink()
    ended = command(*words)
    assert ended.code == 0, ended.err
    assert ended.err.count("packed batch") == 1
    after = set((tmp_path / "pack/packed").rglob("*.parquet"))
    assert len(before & after) == len(before) - 1 == len(after) - 1
    ended = command("extract", "--data-source", tmp_path / "pack", "--output-uri", tmp_path / "output")
    assert ended.code == 0, ended.err
    assert record(tmp_path / "output")["counts"]["read"] == 127


def test_a_pack_takes_over_the_bytes_of_images_that_got_other_labels(sample, command, tmp_path):
    images = [str(file) for file in sorted(sample.glob("Training/Apple/*.jpg"))]
    words = ("pack", "--data-source", tmp_path / "photos.csv", "--output-uri", tmp_path / "pack", "--wave-images", "6")
    for label in ("a", "b"):
        rows = "".join(f"{path},{label if path == images[0] else 'c'}\n" for path in images)
        (tmp_path / "photos.csv").write_text(f"path,label\n{rows}")
        ended = command(*words)
        assert ended.code == 0, ended.err
    assert (ended.err.count("packed batch"), ended.err.count("unchanged batch")) == (0, 1)
    ended = command("extract", "--data-source", tmp_path / "pack", "--output-uri", tmp_path / "output")
    assert ended.code == 0, ended.err
    assert record(tmp_path / "output")["counts"]["read"] == len(images)
    manifest = table(tmp_path / "output", "manifest", tmp_path).set_index("path")
    assert (manifest.loc[manifest.index.str.endswith(images[0]), "label"] == "b").all()


def test_a_pack_tries_again_what_it_could_not_read(sample, command, tmp_path):
    words = ("pack", "--data-source", tmp_path / "photos.csv", "--output-uri", tmp_path / "pack", "--wave-images", "6")
    shutil.copytree(sample / "Training/Apple", tmp_path / "images")
    images = sorted((tmp_path / "images").glob("*.jpg"))
    images[0].rename(tmp_path / "away.jpg")
    rows = "".join(f"{path},1,2024-01-01T00:00:00Z\n" for path in images)
    (tmp_path / "photos.csv").write_text(f"path,length,modified\n{rows}")
    packed = []
    for _ in range(2):
        ended = command(*words)
        assert ended.code == 0, ended.err
        packed.append((record(tmp_path / "pack")["counts"]["rejected"], ended.err.count("packed batch")))
    (tmp_path / "away.jpg").rename(images[0])
    ended = command(*words)
    packed.append((record(tmp_path / "pack")["counts"]["rejected"], ended.err.count("packed batch")))
    assert packed == [(1, -(-len(images) // 6)), (1, 0), (0, 1)]


def test_an_unfinished_pack_is_no_source(folder, command, tmp_path, golden):
    words = ("--data-source", folder, "--output-uri", tmp_path / "pack", "--wave-images", "60")
    assert command("pack", *words).code == 0
    next((tmp_path / "pack/_state/packed").glob("*.json")).unlink()
    ended = command("extract", "--data-source", tmp_path / "pack", "--output-uri", tmp_path / "output")
    assert ended.code == 3
    golden("unfinished_pack", ended.message, folder=tmp_path)
