"""What is told of labels before classifiers are fitted."""

import logging

import pytest

from fruits_pipeline.classify.inputs import Inputs, check
from fruits_pipeline.state.uses import Uses

TRAIN = {"Kiwi": 2, "Plum": 2}


@pytest.mark.parametrize(
    ("train", "told"),
    [
        (TRAIN, None),
        (TRAIN | {"Kiwi ": 1}, "'Kiwi'/'Kiwi '"),
        (TRAIN | {"KIWI": 1, "kiwi": 1}, "'KIWI'/'Kiwi'/'kiwi'"),
        (TRAIN | {"P\u00eache": 1, "Pe\u0302che": 1}, r"'Pe\u0302che'/'P\xeache'"),
        (TRAIN | {"Apple 1": 1, "Apple 2": 1, "Apple": 1}, None),
    ],
)
def test_labels_that_are_most_likely_one_are_told(caplog, train, told):
    caplog.set_level(logging.WARNING)
    check(Inputs(train, {}, dict(TRAIN), Uses()))
    alike = [line for line in caplog.messages if "alike" in line]
    assert alike == ([f"labels_spelled_alike=[{told}] groups=1, each spelling is a label of its own"] if told else [])
