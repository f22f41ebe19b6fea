"""Names the right that a request to S3 or Cloud Storage was refused for: as the server says it, else by the request.

Which right each request takes: "Required permissions for Amazon S3 API operations" of the S3 user guide, and "IAM
permissions for JSON methods" of Cloud Storage. S3 names it to callers of the bucket's own account alone, and never in
the answer to a HEAD ("Troubleshoot access denied errors in Amazon S3"); Cloud Storage always does.
"""

import re
from typing import Final

from fruits_pipeline.storage import uri

# By what was tried, as messages call it.
_S3: Final = {
    "list": "s3:ListBucket",
    "look at": "s3:GetObject",
    "read": "s3:GetObject",
    "write": "s3:PutObject",
    "delete": "s3:DeleteObject",
    "abort the upload of": "s3:AbortMultipartUpload",
}
_GCS: Final = {
    "list": "storage.objects.list",
    "look at": "storage.objects.get",
    "read": "storage.objects.get",
    "write": "storage.objects.create",
    "delete": "storage.objects.delete",
}
_NAMED_BY_AWS: Final = re.compile(
    r'not authorized to perform: ([\w-]+:\w+)(?: on (?:the )?resource:? (?:"([^"]+)"|(arn:\S+)))?'
)
_NAMED_BY_GOOGLE: Final = re.compile(r"does not have ([a-z]+(?:\.\w+)+) access|Permission '([\w.]+)' denied")


def missing_right(what: str, address: str, message: str) -> str:
    """The right that was missing when ``what`` (a verb of ours) was refused at ``address`` with ``message``.

    >>> missing_right("write", "s3://data/results/x", "Access Denied")
    's3:PutObject on arn:aws:s3:::data/results/x'
    >>> missing_right("read", "s3://data/x", "me is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:a")
    'kms:Decrypt on arn:aws:kms:a'
    >>> missing_right("list", "gs://data/results", "Forbidden")
    'storage.objects.list on gs://data'
    """
    if uri.scheme(address) == "gs":
        said = _NAMED_BY_GOOGLE.search(message)
        right = (said[1] or said[2]) if said else _GCS.get(what, " or ".join(dict.fromkeys(_GCS.values())))
        return f"{right} on {uri.bucket(address) if _is_of_bucket(right) else address}"
    said = _NAMED_BY_AWS.search(message)
    right = said[1] if said else _S3.get(what, " or ".join(dict.fromkeys(_S3.values())))
    resource = (said[2] or said[3] or "").rstrip(".,;") if said else ""
    return f"{right} on {resource or _arn(uri.bucket(address) if _is_of_bucket(right) else address)}"


def is_named(message: str) -> bool:
    """Whether S3's ``message`` itself names the right."""
    return _NAMED_BY_AWS.search(message) is not None


def right_to_read(address: str) -> str:
    """The right to read the object at ``address``; "" for one that is in no bucket.

    >>> right_to_read("s3://data/a.jpg"), right_to_read("file:///a.jpg")
    ('s3:GetObject on arn:aws:s3:::data/a.jpg', '')
    """
    return missing_right("read", address, "") if uri.scheme(address) in {"s3", "gs"} else ""


def _is_of_bucket(right: str) -> bool:
    """Whether a right is granted on buckets, not on objects."""
    return right.startswith(("s3:ListBucket", "s3:GetBucket", "storage.buckets.", "storage.objects.list"))


def _arn(address: str) -> str:
    return f"arn:aws:s3:::{address.partition('://')[2]}"
