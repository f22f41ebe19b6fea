"""Commands in the session that all tests of this layer share."""

from collections.abc import Iterator

import pytest
from feature_jobs import mean_colour_model
from in_process import SIZE, Command, commands

from fruits_pipeline.backbones.model import Model


@pytest.fixture(scope="session")
def colours(tmp_path_factory) -> Model:
    """The model that commands in this process take."""
    return mean_colour_model(tmp_path_factory.mktemp("model"), SIZE)


@pytest.fixture
def command(spark, colours, capfd) -> Iterator[Command]:
    """Runs ``fruits-pipeline`` with the words that it is given, in this process."""
    with commands(spark, colours, capfd) as run:
        yield run
