"""The driver killed at seeded points over all rooms: what it left, the next start takes up, and nothing is lost."""

import pytest

from kill.scenes import ROOMS, SCENARIOS

# What Spark writes by itself, beside the store.
APPEARS = [
    ("first", "features/wave=*/_temporary/**/*.parquet"),
    ("first", "models/reduce/metadata"),
    ("first", "predictions/_temporary"),
    ("first", "models/logistic_regression/stages/*"),
    ("update", "features/wave=*/_temporary"),
    ("update", "features/wave=*/part-*"),
    ("update", "reduced/_temporary"),
    ("update", "models/reduce/stages/*/data"),
]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kill_at_an_operation_of_the_store_costs_nothing(scenario, room, number, scenes, undisturbed):
    point = scenes.drawn(scenario, room, number, undisturbed)
    scenes.resumed(scenario, scenes.killed(scenario, point, undisturbed), undisturbed)


@pytest.mark.parametrize(("scenario", "key"), APPEARS)
def test_a_kill_while_spark_writes_costs_nothing(scenario, key, scenes, undisturbed):
    point = scenes.orders("appears", key)
    scenes.resumed(scenario, scenes.killed(scenario, point, undisturbed), undisturbed)
