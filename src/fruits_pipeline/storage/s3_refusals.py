"""Errors of boto3 as errors of this package: a refusal that may have two causes is told by a second request."""

from collections.abc import Callable
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.s3_faults import code_of, explained, is_denied

# Of an object that is absent, S3 says 404 to those who may list, and 403 to all others (HeadObject, GetObject).
_OF_OBJECTS: Final = frozenset({"look at", "read"})


def told(what: str, address: str, error: Exception, listing: Callable[[], object]) -> StorageError:
    """What to raise when ``what`` (a verb) failed at ``address``; ``listing`` asks S3 for a list of the bucket.

    The answer to a HEAD has no words, so that a listing also tells of credentials that S3 does not know.
    """
    # boto3's own error of an upload has S3's as its context.
    answer = error if isinstance(error, ClientError) else error.__context__
    if not isinstance(answer, ClientError):
        return explained(what, address, type(error).__name__, str(error))
    needs = what
    if what in _OF_OBJECTS and is_denied(code_of(answer)):
        try:
            listing()
        except ClientError as of_listing:
            needs, answer = "list", of_listing
        except BotoCoreError:
            pass  # because the first answer then has to do
    return explained(what, address, code_of(answer), answer.response.get("Error", {}).get("Message", ""), needs)
