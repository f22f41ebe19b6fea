"""Commands in the session that all tests of this layer share."""

import shutil
from collections.abc import Iterator

import pytest
from feature_jobs import mean_colour_model
from in_process import SIZE, Command, commands
from small_source import add_images, run

from fruits_pipeline.backbones.model import Model


@pytest.fixture(scope="session")
def colours(tmp_path_factory) -> Model:
    """The model that commands in this process take; its features lie within the bound of the backbone's, 6."""
    return mean_colour_model(tmp_path_factory.mktemp("model"), SIZE, white=6)


@pytest.fixture
def command(spark, colours, capfd) -> Iterator[Command]:
    """Runs ``fruits-pipeline`` with the words that it is given, in this process."""
    with commands(spark, colours, capfd) as run:
        yield run


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """Where all tests have their images and their output: paths belong to the manifest."""
    folder = tmp_path_factory.mktemp("place")
    add_images(folder / "images", 8)
    shutil.copytree(folder / "images", folder / "images-as-made")
    return folder


@pytest.fixture
def images(place):
    shutil.rmtree(place / "images")
    return shutil.copytree(place / "images-as-made", place / "images")


@pytest.fixture
def output(place):
    shutil.rmtree(place / "output", ignore_errors=True)
    return place / "output"


@pytest.fixture
def finished(command, place, images, output):
    """The output of one run on ``images`` with both exports, computed once and then restored."""
    made = place / "output-as-made"
    if not made.exists():
        run(command, images, output, "--export", "csv", "--export", "json")
        shutil.copytree(output, made)
    else:
        shutil.copytree(made, output)
    return output
