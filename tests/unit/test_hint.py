"""The hint: for small images alone, with figures, and once."""

import pytest

from fruits_pipeline.features.hint import MEASURED, hint


def test_small_images_get_the_cheapest_setting_within_half_a_point():
    line = hint((100, 90), "mobilenetv2", "f32", 224)
    assert line.startswith("images are at most 100x90 pixels: --image-size 192 --precision int8 reads 3.2 times")
    assert "within 0.3 points" in line
    assert ": --image-size 192 reads 1.1 times" in hint((100, 90), "mobilenetv2", "int8", 224)
    assert ": --precision int8 reads 2.0 times" in hint((100, 90), "mobilenetv2", "f32", 160)


@pytest.mark.parametrize(("largest", "said"), [((160, 160), True), ((161, 20), False), ((20, 161), False)])
def test_small_means_that_the_image_is_enlarged_a_lot(largest, said):
    assert (hint(largest, "mobilenetv2", "f32", 224) is not None) is said


@pytest.mark.parametrize(
    ("backbone", "precision", "size"),
    [("xception", "f32", 299), ("mobilenetv2", "bf16", 224), ("mobilenetv2", "int8", 160), ("mobilenetv2", "f32", 192)],
)
def test_what_was_not_measured_is_not_told(backbone, precision, size):
    assert hint((50, 50), backbone, precision, size) is None


def test_the_table_is_worth_telling():
    assert all(row.speed > 1.5 and 0 <= row.points < 1 for row in MEASURED)
