"""Two kills of the driver, of the many that ``make kill`` tries."""

import pytest


@pytest.mark.parametrize(
    ("scenario", "what", "key", "moment"),
    [
        ("first", "create", "_state/waves/00001.json", "before"),  # features written, and not marked
        ("update", "appears", "features/wave=*/_temporary", "after"),  # features being carried over
    ],
)
def test_a_killed_driver_costs_nothing(scenario, what, key, moment, scenes, undisturbed):
    point = scenes.orders(what, key, moment=moment)
    scenes.resumed(scenario, scenes.killed(scenario, point, undisturbed), undisturbed)
