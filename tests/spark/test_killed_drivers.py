"""A kill of the driver, of the many that ``make kill`` tries: while features are carried over."""


def test_a_killed_driver_costs_nothing(scenes, undisturbed):
    point = scenes.orders("appears", "features/wave=*/_temporary", moment="after")
    scenes.resumed("update", scenes.killed("update", point, undisturbed), undisturbed)
