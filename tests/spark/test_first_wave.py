"""What is told of a first wave none of whose images can be read."""

from dataclasses import replace

import pytest
from feature_jobs import Bench, mean_colour_model, picture

from fruits_pipeline.errors import InputError


@pytest.mark.parametrize(
    ("cells", "likely"),
    [
        (["/gone/1.png", "/gone/2.png"], "likely: the images lie in another folder or bucket"),
        (["images/a%20b.png", "images/c%20d.png"], "images/a b.png' is there: %20 and the like stand for characters"),
        (["images\\a b.png"], "images/a b.png' is there: paths are to have / in the place of"),
    ],
)
def test_a_first_wave_that_is_rejected_for_one_reason_is_explained(spark, tmp_path, cells, likely):
    bench = Bench(spark, tmp_path, replace(mean_colour_model(tmp_path), image_size=224), max_reject_share=0.5)
    bench.add("a b.png", picture((250, 10, 30)))
    (tmp_path / "photos.csv").write_text("\n".join(["path", *cells]))
    bench.address = str(tmp_path / "photos.csv")
    with pytest.raises(InputError) as told:
        bench.run()
    first = cells[0] if cells[0].startswith("/") else f"{tmp_path}/{cells[0]}"
    start = f"all {len(cells)} images of batch 00000 are rejected as missing, the first one was read as {f'file://{first}'!r}"
    assert start in str(told.value)
    assert likely in str(told.value)
