"""Archives of a bundle, read once more on the driver."""

import hashlib

import pytest
from pyspark import SparkConf

from fruits_pipeline.errors import SubmissionError
from fruits_pipeline.session.archives import check_archives

CONTENT = b"an archive" * 1000


@pytest.fixture
def archive(tmp_path, spark, monkeypatch):
    """An uploaded archive that the session was submitted with, beside one of somebody's own."""
    place = tmp_path / hashlib.sha256(CONTENT).hexdigest()[:16]
    place.mkdir()
    (place / "environment.tar.gz").write_bytes(CONTENT)
    given = f"file:{place}/environment.tar.gz#environment,file:{tmp_path}/mine.zip"
    conf = SparkConf(loadDefaults=False).set("spark.yarn.dist.archives", given)
    monkeypatch.setattr(spark.sparkContext, "_conf", conf)
    return place / "environment.tar.gz"


@pytest.mark.usefixtures("archive")
def test_an_archive_that_is_as_it_was_uploaded_is_taken(spark):
    check_archives(spark.sparkContext)


def test_an_archive_that_somebody_replaced_is_refused(spark, archive):
    archive.write_bytes(CONTENT + b"more")
    with pytest.raises(SubmissionError, match=f"expected a sha256 of {archive.parent.name}.* somebody has replaced"):
        check_archives(spark.sparkContext)
