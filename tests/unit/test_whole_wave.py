"""What is likely where every image of a wave is rejected for one reason."""

import pytest

from fruits_pipeline.features.wave import nothing_in
from fruits_pipeline.features.whole_wave import likely_cause
from fruits_pipeline.images.reason import Reason


@pytest.mark.parametrize(
    ("path", "there", "told"),
    [
        ("s3://b/in%20put/a%2Bb.jpg", "s3://b/in put/a+b.jpg", "%20 and the like stand for characters"),
        ("file:///in\\a.jpg", "file:///in/a.jpg", "/ in the place of"),
        ("s3://b/a+b.jpg", "s3://b/a b.jpg", "+ stands for a space"),
        ("s3://b/a b.jpg", "s3://b/a%20b.jpg", "names have %20 in the place of spaces"),
        ("s3://b/P\u00eache.jpg", "s3://b/Pe\u0302che.jpg", "accents of names are encoded otherwise (NFD)"),
    ],
)
def test_a_file_of_another_spelling_is_told_where_it_is_there(path, there, told):
    likely = likely_cause("missing", path, lambda other: other == there)
    assert likely.startswith(f"{there!r} is there: ")
    assert told in likely


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("missing", "another folder or bucket"),
        ("forbidden", "credentials may not read"),
        ("empty", "a copy was cut off"),
        ("not_an_image", "Git LFS"),
    ],
)
def test_what_is_likely_else_follows_from_the_reason(reason, told):
    assert told in likely_cause(reason, "s3://b/a%20b.jpg", lambda _: False)


def test_every_reason_has_some_answer():
    assert all(likely_cause(reason, "file:///a", lambda _: True) for reason in Reason)


def test_a_link_that_leads_nowhere_is_missing_and_not_empty(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "link.jpg").symlink_to("elsewhere.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    found = [nothing_in(f"file://{tmp_path}/{name}.jpg").detail for name in ("empty", "link", "self")]
    assert found == ["0 bytes", "a link to elsewhere.jpg, which is not there", "a link to self.jpg, which is not there"]
