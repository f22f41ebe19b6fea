"""Fixtures of tests that kill; what they need is imported late, because layers without Spark load this too."""

import pytest


@pytest.fixture(scope="session")
def killing_model(tmp_path_factory):
    """The model of three colours, and its folder, from which the runner has it."""
    from feature_jobs import mean_colour_model
    from in_process import SIZE

    folder = tmp_path_factory.mktemp("killing-model")
    return mean_colour_model(folder, SIZE), folder


@pytest.fixture(scope="session")
def scenes(tmp_path_factory, killing_model):
    from kill.scenes import Scenes

    return Scenes(tmp_path_factory.mktemp("scenes"), killing_model[1])


@pytest.fixture
def undisturbed(spark, killing_model, capfd):
    """Runs commands in this process."""
    from in_process import commands

    with commands(spark, killing_model[0], capfd) as run:
        yield run
