"""Fixtures of tests that start whole commands, on the real MobileNetV2."""

from functools import partial
from pathlib import Path

import pytest
from running import run_command

WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory, shared_folder) -> Path:
    """A cache with the converted MobileNetV2: from the shared weights, else fetched as a user's first run does."""
    folder = tmp_path_factory.mktemp("cache")
    given = shared_folder / "weights" / WEIGHTS
    ended = run_command(folder, "weights", *(["--weights", given] if given.is_file() else []))
    if ended.code:
        pytest.skip(f"no weights of MobileNetV2: {ended.message}")
    return folder


@pytest.fixture(scope="session")
def command(cache_dir) -> partial:
    """Runs ``fruits-pipeline`` with the words that it is given."""
    return partial(run_command, cache_dir)
