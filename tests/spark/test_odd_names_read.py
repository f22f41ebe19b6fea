"""Every odd name is read, or rejected, by each reader as the table of names says."""

import os

import pytest
from feature_jobs import Bench, mean_colour_model, picture

from odd_names import IMAGE, NAMES, write_names


@pytest.mark.parametrize("reader", ["prefetch", "binaryfile"])
def test_every_odd_name_is_read_as_the_table_says(spark, tmp_path, reader):
    bench = Bench(spark, tmp_path, mean_colour_model(tmp_path), reader=reader)
    write_names(bench.images, picture((250, 10, 30)))
    bench.run()
    rejects = dict(bench.table("rejects")["reason"])
    expected = {name.key: name.read for name in NAMES.values() if name.on_disk and name.listed == IMAGE}
    if os.access(bench.images / NAMES["no permission"].key, os.R_OK):  # as root may
        expected[NAMES["no permission"].key] = ""
    assert rejects == {key: reason for key, reason in expected.items() if reason}
    assert set(bench.table("features").index) == {key for key, reason in expected.items() if not reason}
