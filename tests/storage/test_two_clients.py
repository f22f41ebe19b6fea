"""Why lists and writes go by the clouds' own clients and not by obstore: when a test here fails, weigh it again."""

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import GCSStore, S3Store

from conftest import BUCKET, KEY_ID, SECRET

REFUSED = ("a//b", "a/../b", "a/./b", "cr\rx", "tab\t")


@pytest.fixture
def by_obstore(bucket):
    """Our store in an empty folder of each server, and obstore's of the same bucket."""
    ours = bucket()
    options = {"client_options": {"allow_http": True}}
    if ours.root.startswith("gs"):
        url = ours._settings.gcs_endpoint_url
        return ours, GCSStore(BUCKET, base_url=url, skip_signature=True, **options)
    signed = {"access_key_id": KEY_ID, "secret_access_key": SECRET, "region": "us-east-1"}
    return ours, S3Store(BUCKET, endpoint=ours._settings.s3_endpoint_url, **signed, **options)


@pytest.mark.parametrize("key", REFUSED)
@pytest.mark.parametrize("server", ["moto", "fake_gcs_server"])  # SeaweedFS cannot have most of them
def test_one_key_that_obstore_refuses_ends_its_whole_listing(by_obstore, key):
    ours, theirs = by_obstore
    for name in ("0.jpg", key, "z.jpg"):
        ours.write(name, b"1")
    with pytest.raises(BaseError, match="invalid path"):
        list(obstore.list(theirs, ours.root.rpartition("/")[2]))
    assert [found.key for found in ours.objects()] == ["0.jpg", key, "z.jpg"]


def test_obstore_takes_the_slash_off_a_key_so_that_a_folders_mark_looks_like_an_image(by_obstore):
    ours, theirs = by_obstore
    ours.write("folder/", b"")
    (listed,) = obstore.list(theirs, ours.root.rpartition("/")[2])
    assert [meta["path"].rpartition("/")[2] for meta in listed] == ["folder"]
    assert list(ours.objects()) == []
