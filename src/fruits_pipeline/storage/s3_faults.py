"""Messages for S3's error codes, with what to check."""

from typing import TYPE_CHECKING

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage import rights

if TYPE_CHECKING:  # because Spark's own refusals are told where boto3 is not installed, too
    from botocore.exceptions import ClientError

# Characters; botocore prints whole patterns.
_LONGEST_MESSAGE = 300
_WHO = "see with 'aws sts get-caller-identity' who you are (AWS_PROFILE, --s3-profile)"
_RESUME = "then start the same command again: it resumes"

# What follows the right that is missing.
_GRANT = (
    f"(the job's policy in config/emr has all that a run takes), {_WHO}; a public bucket takes --s3-anonymous, one "
    "whose requester pays --s3-requester-pays"
)
_KEY = "and, where the bucket has a KMS key of its own, the use of that "
# Codes of S3, HTTP states where a HEAD has no code, and names of botocore's own errors.
_SIGN_IN = (
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run on a machine with a role; "
    "'aws sts get-caller-identity' must work; a public bucket takes --s3-anonymous"
)
_RENEW = f"expired credentials look so: get new ones ('aws sso login', or a new AWS_SESSION_TOKEN), {_WHO}, {_RESUME}"
_INVALID = f"the credentials are not valid there: correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, {_WHO}"
_REGION = "the bucket is in another region: name that by --s3-region or AWS_REGION, or take its --s3-endpoint-url"
_NETWORK = f"check the network, HTTPS_PROXY and --s3-endpoint-url, {_RESUME}"
_DENIED = "AccessDenied AllAccessDisabled Forbidden 403"
_ADVICE = {
    "NoSuchBucket": f"create the bucket or correct its name, {_RESUME}",
    "NoSuchKey 404": f"find out who deleted it, {_RESUME}",
    "ParamValidationError InvalidBucketName": "correct the bucket's name",
    "NoCredentialsError PartialCredentialsError CredentialRetrievalError MissingSecurityHeader": _SIGN_IN,
    "ProfileNotFound ConfigParseError": "correct AWS_PROFILE, --s3-profile or ~/.aws/config",
    "ExpiredToken ExpiredTokenException InvalidToken TokenRefreshRequired TokenRetrievalError 400": _RENEW,
    "SSOTokenLoadError UnauthorizedSSOTokenError": _RENEW,
    "InvalidAccessKeyId SignatureDoesNotMatch InvalidClientTokenId AuthFailure": _INVALID,
    "PermanentRedirect 301 AuthorizationHeaderMalformed IllegalLocationConstraintException": _REGION,
    "InvalidRegionError NoRegionError": _REGION,
    "RequestTimeTooSkewed": f"set this machine's clock, {_RESUME}",
    "KMS.NotFoundException KMS.DisabledException KMS.KMSInvalidStateException": "correct --s3-sse-kms-key-id",
    "EndpointConnectionError ConnectTimeoutError ReadTimeoutError ConnectionClosedError": _NETWORK,
    "ProxyConnectionError SSLError ResponseStreamingError IncompleteReadError": _NETWORK,
}
_ELSE = f"look up the code in the server's documentation, mend that, {_RESUME}"


def code_of(error: "ClientError") -> str:
    """The error's code, such as ``NoSuchBucket``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(code: str) -> bool:
    """Whether S3 knows who asks, and that they may not do this."""
    return code in _DENIED.split()


def explained(what: str, address: str, code: str, message: str, needs: str = "") -> StorageError:
    """The error to raise when ``what`` (a verb) failed at ``address``.

    ``needs`` is the verb whose right was missing, where that is another one.
    """
    advice = next((advice for codes, advice in _ADVICE.items() if code in codes.split()), _ELSE)
    lacks = rights.missing_right(needs or what, address, message) if is_denied(code) else ""
    if lacks:
        advice = f"grant {lacks} {'' if rights.is_named(message) else _KEY}{_GRANT}"
    said = " ".join(message.split())[:_LONGEST_MESSAGE].rstrip(".")
    return StorageError(f"could not {what} {address}: {code}: {said}; {advice}", is_denied=bool(lacks), lacks=lacks)
