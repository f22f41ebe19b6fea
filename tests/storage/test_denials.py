"""A refusal by permission names the right: the server's words, else by the request; of a HEAD by one request more."""

import pytest
from stub import Answer, gcs_error, s3_error

from fruits_pipeline.errors import StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.opening import open_store

# Google's library leaves the connection of a failed download open until it is collected, as the stub's fixture does.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
S3, GCS = "s3://bucket/folder", "gs://bucket/folder"


@pytest.fixture
def settings(stub):
    return StorageSettings(
        s3_endpoint_url=stub.url, s3_region="us-east-1", gcs_endpoint_url=stub.url, gcs_anonymous=True
    )


NO_LIST = (
    b"<Error><Code>AccessDenied</Code><Message>User: me is not authorized to perform: s3:ListBucket on resource: "
    b'"arn:aws:s3:::bucket" because no identity-based policy allows it</Message></Error>'
)


@pytest.mark.parametrize(
    ("of_listing", "told"),
    [
        (
            Answer(200, b"<ListBucketResult></ListBucketResult>"),
            "403: .*grant s3:GetObject on arn:aws:s3:::bucket/folder/x ",
        ),
        (Answer(403, NO_LIST), "AccessDenied: .*grant s3:ListBucket on arn:aws:s3:::bucket "),
        (s3_error(403, "InvalidAccessKeyId"), "InvalidAccessKeyId: .*correct AWS_ACCESS_KEY_ID"),
    ],
    ids=["may list", "may not list", "is not known"],
)
def test_a_head_that_is_refused_is_told_by_what_s3_says_of_listing(stub, settings, of_listing, told):
    """To whoever may not list, S3 says 403 of an object that is absent, and a HEAD has no words."""
    stub.script = [lambda method, _path: Answer(403) if method == "HEAD" else of_listing]
    with pytest.raises(StorageError, match=rf"could not look at s3://bucket/folder/x: {told}"):
        open_store(S3, settings).stat("x")


def test_an_upload_that_is_refused_names_the_right(stub, settings, tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    stub.script = [s3_error(403, "AccessDenied")]
    told = "write s3://bucket/folder/x: AccessDenied: a message; grant s3:PutObject on arn:aws:s3:::bucket/folder/x "
    with pytest.raises(StorageError, match=told):
        open_store(S3, settings).put("x", tmp_path / "file")


@pytest.mark.parametrize(
    ("address", "verb", "right"),
    [
        (S3, "list", "s3:ListBucket on arn:aws:s3:::bucket "),
        (S3, "write", "s3:PutObject on arn:aws:s3:::bucket/folder/x "),
        (S3, "delete", "s3:DeleteObject on arn:aws:s3:::bucket/folder/x "),
        (GCS, "list", "storage.objects.list on gs://bucket "),
        (GCS, "read", "storage.objects.get on gs://bucket/folder/x "),
        (GCS, "write", "storage.objects.create on gs://bucket/folder/x "),
        (GCS, "delete", "storage.objects.delete on gs://bucket/folder/x "),
    ],
)
def test_a_refusal_names_the_right_of_the_request_where_the_server_names_none(stub, settings, address, verb, right):
    stub.script = [s3_error(403, "AccessDenied") if address == S3 else gcs_error(403, "No.")]
    store = open_store(address, settings)
    ways = {
        "list": lambda: list(store.objects()),
        "read": lambda: store.read("x"),
        "write": lambda: store.write("x", b""),
        "delete": lambda: store.delete(["x"]),
    }
    with pytest.raises(StorageError, match=f"could not {verb} .*; grant {right}"):
        ways[verb]()


def test_a_refusal_names_the_right_that_google_names(stub, settings):
    stub.script = [gcs_error(403, "me does not have storage.objects.delete access to the Google Cloud Storage object.")]
    with pytest.raises(StorageError, match=r"write .*; grant storage\.objects\.delete on gs://bucket/folder/x "):
        open_store(GCS, settings).write("x", b"")
