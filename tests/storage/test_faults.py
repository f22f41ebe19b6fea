"""What storage says when a bucket cannot be used: what was tried, what came back, what to check."""

import json
import re

import pytest
from stub import Answer, gcs_error, s3_error

from fruits_pipeline.errors import InputError, StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.source import parse_source

# Google's library leaves the connection of a failed download open until it is collected, as the stub's fixture does.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
S3, GCS = "s3://bucket/folder", "gs://bucket/folder"


@pytest.fixture
def settings(stub):
    return StorageSettings(
        s3_endpoint_url=stub.url, s3_region="us-east-1", gcs_endpoint_url=stub.url, gcs_anonymous=True
    )


@pytest.fixture
def _no_waiting(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def impatient(address, settings):
    return type(open_store(address))(address, settings, Patience(retries=3, total_s=0.1))


S3_FAULTS = [
    (404, "NoSuchBucket", "create the bucket or correct its name"),
    (403, "AccessDenied", "grant s3:.*'aws sts get-caller-identity'.*--s3-profile.*--s3-anonymous"),
    (403, "InvalidAccessKeyId", "correct AWS_ACCESS_KEY_ID"),
    (403, "SignatureDoesNotMatch", "correct AWS_ACCESS_KEY_ID"),
    (400, "ExpiredToken", "AWS_SESSION_TOKEN.*'aws sts get-caller-identity'"),
    (301, "PermanentRedirect", "in another region: name that by --s3-region or AWS_REGION"),
    (400, "Unheard", "look up the code"),
]
GCS_FAULTS = [
    (404, "The specified bucket does not exist.", "NotFound: .*create the bucket or correct its name"),
    (403, "me does not have access.", "Forbidden: .*grant storage.objects.*--gcs-billing-project"),
    (401, "Anonymous caller.", "InvalidOperation: .*not public: leave out --gcs-anonymous, and run 'gcloud auth"),
    (400, "Bucket is a requester pays bucket but no user project provided.", "BadRequest: .*--gcs-billing-project"),
    (400, "Something else.", "BadRequest: .*mend that"),
]


def refused(address, settings, advice):
    """Each way to use the store fails with the same advice.

    A source fails as input (3), as storage (7) where a right is missing.
    """
    store = open_store(address, settings)
    ways = {
        "list": lambda: list(store.objects()),
        "read": lambda: store.read("x"),
        "write": lambda: store.write("x", b""),
        "delete": lambda: store.delete(["x"]),
    }
    for verb, way in ways.items():
        with pytest.raises(StorageError, match=rf"^could not {verb} {address}(/x)?: .*{advice}[^\n]*$") as told:
            way()
        assert "/storage/v1" not in str(told.value)  # because an upload's URL is a key to it
    with pytest.raises((InputError, StorageError)) as ended:
        parse_source(address, settings).check()
    if "grant" in advice:
        assert ended.value.exit_code == 7
    else:
        assert ended.value.exit_code == 3
        assert str(ended.value).startswith("expected a source that can be read, but could not list ")
    assert re.search(advice, str(ended.value))


@pytest.mark.parametrize(("status", "code", "advice"), S3_FAULTS)
def test_an_error_of_s3_is_told_with_what_to_check(stub, settings, status, code, advice):
    stub.script = [s3_error(status, code, region="eu-west-1")]
    refused(S3, settings, f"{code}: a message; .*{advice}")


@pytest.mark.parametrize(("status", "message", "advice"), GCS_FAULTS)
def test_an_error_of_gcs_is_told_with_what_to_check(stub, settings, status, message, advice):
    stub.script = [gcs_error(status, message)]
    refused(GCS, settings, advice)


def test_a_head_that_is_refused_has_no_code_and_is_told_all_the_same(stub, settings):
    stub.script = [Answer(403)]
    told = r"could not look at s3://bucket/folder/x: 403: .*grant s3:ListBucket"
    with pytest.raises(StorageError, match=told) as denied:
        open_store(S3, settings).stat("x")
    assert denied.value.is_denied


@pytest.mark.parametrize("address", [S3, GCS])
@pytest.mark.parametrize(("status", "is_denied"), [(403, True), (400, False), (503, False)])
@pytest.mark.usefixtures("_no_waiting")
def test_only_the_answer_that_it_is_not_allowed_is_told_as_such(stub, settings, address, status, is_denied):
    stub.script = [Answer(status)]
    with pytest.raises(StorageError) as told:
        impatient(address, settings).stat("x")
    assert told.value.is_denied == is_denied


def test_missing_aws_credentials_are_told(settings, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    refused(S3, settings, "NoCredentialsError: .*set AWS_PROFILE.*'aws sts get-caller-identity'")


def test_an_unknown_aws_profile_is_told(settings):
    refused(S3, settings.model_copy(update={"s3_profile": "none"}), "ProfileNotFound: .*none.*correct AWS_PROFILE")


def test_anonymous_requests_are_not_signed(stub, settings, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    stub.script = [Answer(200, b"x", {"ETag": '"1"'})]
    assert open_store(S3, settings.model_copy(update={"s3_anonymous": True})).read("x") == b"x"
    assert "Authorization" not in stub.seen[0][2]


def test_a_bucket_name_that_cannot_be_is_told(settings):
    with pytest.raises(StorageError, match=r"ParamValidationError: .*correct the bucket's name"):
        open_store("s3://Not a bucket!/x", settings).read("x")


def test_missing_google_credentials_are_told(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    named = settings.model_copy(update={"gcs_anonymous": False})
    refused(GCS, named, "DefaultCredentialsError: .*gcloud auth application-default login")


def test_google_credentials_that_were_withdrawn_are_told_without_their_secrets(stub, settings, monkeypatch, tmp_path):
    user = {"type": "authorized_user", "client_id": "me", "client_secret": "SECRET1", "refresh_token": "SECRET2"}
    (tmp_path / "key.json").write_text(json.dumps(user))
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", stub.url)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    stub.script = [Answer(400, b'{"error": "invalid_grant", "error_description": "Token has been revoked."}')]
    with pytest.raises(StorageError, match=r"RefreshError: .*revoked.*gcloud auth application-default login") as told:
        open_store(GCS, settings.model_copy(update={"gcs_anonymous": False})).read("x")
    assert "SECRET" not in str(told.value)


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("address", [S3, GCS])
def test_a_server_that_is_not_there_is_told_after_some_attempts(address):
    nowhere = "http://127.0.0.1:9"
    settings = StorageSettings(s3_endpoint_url=nowhere, gcs_endpoint_url=nowhere, gcs_anonymous=True)
    with pytest.raises(StorageError, match=r"check the network, HTTPS_PROXY and --(s3|gcs)-endpoint-url"):
        list(impatient(address, settings).objects())


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("address", [S3, GCS])
def test_a_proxy_that_is_not_there_is_told_without_its_password(address, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://me:SECRET@127.0.0.1:9")
    server = "http://storage.invalid"
    settings = StorageSettings(s3_endpoint_url=server, gcs_endpoint_url=server, gcs_anonymous=True)
    with pytest.raises(StorageError, match=r"[Pp]roxy.*check the network, HTTPS_PROXY") as told:
        list(impatient(address, settings).objects())
    assert "SECRET" not in str(told.value)


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("address", [S3, GCS])
def test_a_burst_of_503_is_waited_out(stub, settings, address):
    slow = [s3_error(503, "SlowDown") if address == S3 else gcs_error(503, "Slow down.")] * 5
    stub.script = [*slow, Answer(200, b"content", {"ETag": '"1"'})]
    assert open_store(address, settings).read("x") == b"content"
    assert len(stub.seen) == 6


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("address", [S3, GCS])
def test_a_body_that_breaks_off_is_fetched_again(stub, settings, address):
    whole = Answer(200, b"0123456789" * 100, {"ETag": '"1"'})
    stub.script = [Answer(200, whole.body, whole.headers, sent=400), whole]
    assert open_store(address, settings).read("x") == whole.body
    stub.script = [Answer(200, whole.body, whole.headers, sent=400)]
    if address == S3:
        with pytest.raises(StorageError, match=r"could not read s3://bucket/folder/x: \w+: .*check the network"):
            open_store(address, settings).read("x")


@pytest.mark.parametrize("address", [S3, GCS])
def test_a_server_that_ignores_preconditions_is_refused_by_name(stub, settings, address):
    def forgetful(method, _path):
        if method == "GET":
            return s3_error(404, "NoSuchKey") if address == S3 else gcs_error(404, "No such object")
        return Answer(200, b'{"name": "x", "generation": "7"}' if address == GCS else b"", {"ETag": '"7"'})

    stub.script = [forgetful]
    said = re.escape(f"found one at {address} that ignores them")
    with pytest.raises(StorageError, match=said), open_store(address, settings).hold("_state/lease", "me"):
        pytest.fail("held")


@pytest.mark.usefixtures("_no_waiting")
def test_two_writers_at_the_same_moment_are_told_to_ask_again_and_do(stub, settings):
    conflict = s3_error(409, "ConditionalRequestConflict")
    stub.script = [conflict, conflict, Answer(200, b"", {"ETag": '"1"'})]
    assert open_store(S3, settings).create("x", b"")
    stub.script = [conflict, s3_error(412, "PreconditionFailed")]
    assert not open_store(S3, settings).create("x", b"")
    stub.script = [conflict]
    with pytest.raises(StorageError, match="ConditionalRequestConflict"):
        open_store(S3, settings).create("x", b"")


def test_one_key_that_cannot_be_deleted_among_others_is_told(stub, settings):
    fault = b"<Error><Key>folder/b</Key><Code>AccessDenied</Code><Message>no.</Message></Error>"
    stub.script = [Answer(200, b"<DeleteResult>" + fault + b"</DeleteResult>")]
    with pytest.raises(StorageError, match=r"delete s3://bucket/folder/b: AccessDenied: no\. \(one of 1 keys\); grant"):
        open_store(S3, settings).delete(["a", "b"])


def test_where_batches_are_refused_keys_are_deleted_one_by_one(stub, settings):
    stub.script = [s3_error(501, "NotImplemented"), Answer(204)]
    open_store(S3, settings).delete(["a", "b"])
    assert [(method, path) for method, path, _ in stub.seen[-2:]] == [
        ("DELETE", "/bucket/folder/a"),
        ("DELETE", "/bucket/folder/b"),
    ]
