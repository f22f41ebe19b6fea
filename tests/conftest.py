"""Fixtures that every layer shares: where the real images and weights are, and one lazy Spark session."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fruits_pipeline.demo.draw import draw_sample

pytest_plugins = ["servers.fixtures", "spark_session", "kill.fixtures"]

SHARED = Path(os.environ.get("TEST_SHARED_FOLDER", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Puts the package's logger back: ``cli.main`` sends its lines to stderr alone."""
    package = logging.getLogger("fruits_pipeline")
    handlers, propagate, level = package.handlers, package.propagate, package.level
    yield
    package.handlers, package.propagate = handlers, propagate
    package.setLevel(level)


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Where real images and weights are, if they are."""
    return SHARED


@pytest.fixture(scope="session")
def fruits360() -> Path:
    """The folder of real Fruits-360 images, or a skip that says why."""
    folder = SHARED / "data" / "fruits-360"
    if not folder.is_dir():
        pytest.skip(f"no real images: {folder.name} is not beside the checkout (set TEST_SHARED_FOLDER)")
    return folder


@pytest.fixture(scope="session")
def weights_folder() -> Path:
    """The folder of pretrained weights, or a skip that says why."""
    folder = SHARED / "weights"
    if not folder.is_dir():
        pytest.skip("no pretrained weights beside the checkout (set TEST_SHARED_FOLDER)")
    return folder


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Path:
    """A small drawn sample: 8 labels x 16 images in Training and Test folders."""
    folder = tmp_path_factory.mktemp("sample")
    draw_sample(folder, images_per_label=16)
    return folder


@pytest.fixture(scope="session")
def golden() -> Callable[..., None]:
    """Compares a text with ``tests/golden/NAME.txt``; ``REMAKE_GOLDENS=1`` rewrites the file and skips the test.

    Keyword arguments name what differs from run to run: each such text is written as ``{keyword}``.
    """
    folder = Path(__file__).resolve().parent / "golden"

    def compare(name: str, text: str, **places: object) -> None:
        for keyword, place in sorted(places.items(), key=lambda item: -len(str(item[1]))):
            text = text.replace(str(place), f"{{{keyword}}}")
        file = folder / f"{name}.txt"
        if os.environ.get("REMAKE_GOLDENS") == "1":
            file.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
            pytest.skip(f"remade {file.name}: read it, and run again without REMAKE_GOLDENS")
        assert text.rstrip("\n") + "\n" == file.read_text(encoding="utf-8")

    return compare
