"""Failures of storage in the text of an error that Spark passed on: of Hadoop's connectors, and of Python workers.

Forms of the text: S3A's ``S3AUtils.translateException``, in the words of AWS' SDK 1 (Hadoop 3.3) and 2 (3.4), and
``GoogleJsonResponseException`` of Google's Java client.
"""

import re
from typing import Final
from urllib.parse import unquote

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage import s3_faults, uri

_BY_WORKER: Final = re.compile(rf"\b{re.escape(StorageError.__module__)}\.{StorageError.__name__}: (.+)")

# What failed while Java tidied up after the failure itself.
_BESIDE: Final = re.compile(r"^\t+(?:Suppressed|Caused by): .*$", re.MULTILINE)

_S3: Final = re.compile(
    r"(?:(?P<operation>[^:\n]+) on (?P<path>\S[^\n]*?): )?[\w.$]*\b(?:Amazon)?S3Exception: "
    r"(?P<said>[^\n]*?) \(Service: (?:Amazon )?S3[;,] Status Code: 403[;,](?: Error Code: (?P<code>[^;\n]+);)?"
)
# Deleting many at once is answered with 200, and with each key that could not be deleted.
_S3_MANY: Final = re.compile(r"MultiObjectDelete\w*: [^\n]*?\bAccessDenied: (?P<key>[^:\n]+): (?P<said>[^\n]*)")
_DENIED: Final = "AccessDenied"
# What is said of a HEAD, whose answer has no body.
_OF_HEAD: Final = ("Forbidden", "null")
# By what S3A calls the operation; the first that fits counts, and the rest writes.
_BY_OPERATION: Final = (
    ("delete", "delete"),
    ("remove", "delete"),
    ("abort", "abort the upload of"),
    ("list", "list"),
    ("open", "read"),
    ("read", "read"),
    ("copy", "read"),
)

_GOOGLE: Final = re.compile(
    r"GoogleJsonResponseException: 403[^\n]*\n(?P<method>[A-Z]+) \S+?/b/(?P<bucket>[^/\s?]+)/o(?:/(?P<key>[^?\s]+))?"
    r"(?:\?\S*?\bname=(?P<name>[^&\s]+))?[^\n]*"
    r"(?P<body>.*?\n\})?",
    re.DOTALL,
)
_GOOGLE_SAID: Final = re.compile(r'"message" : "([^\n]*)"')
_BY_METHOD: Final = {"DELETE": "delete", "POST": "write", "PUT": "write", "PATCH": "write"}
# Of one object among many the text has neither the request nor the answer, see ``told_of_google``.
_GOOGLE_ONE: Final = re.compile(r"Error (?P<operation>\w+) '?(?P<address>gs://[^\s',]+)")
_GOOGLE_TOLD: Final = re.compile(r"^Cloud Storage answered 403: (?P<said>.*)$", re.MULTILINE)
_BY_GERUND: Final = {"deleting": "delete", "listing": "list", "accessing": "read", "getting": "read"}


def told_of_google(status: int, said: str) -> str:
    """A line of text for ``storage_fault``, of what an error of Google's Java client holds and its text has not."""
    return f"Cloud Storage answered {status}: {said or 'no reason given'}"


def storage_fault(text: str, output: str) -> StorageError | None:
    r"""What a worker raised, or what to say where a connector was refused; None where ``text`` has another cause.

    ``output`` is the address of the job's output, in whose bucket keys are that are named without one.

    >>> told = "Traceback ...\nfruits_pipeline.errors.StorageError: could not read x\n\tat ..."
    >>> storage_fault(told, "s3://data/results")
    StorageError('could not read x')
    """
    text = _BESIDE.sub("", text)
    raised = _BY_WORKER.search(text)
    return StorageError(raised[1].strip()) if raised else _of_s3(text, output) or _of_google(text, output)


def _of_s3(text: str, output: str) -> StorageError | None:
    if told := _S3.search(text):
        said, operation = told["said"], told["operation"]
        what = _tried(operation.lower(), is_head=said.startswith(_OF_HEAD)) if operation else "use"
        # Of a HEAD, SDK 1 has "403 Forbidden" in the place of S3's code.
        code = (told["code"] or _DENIED).partition(" ")[0]
        address = _address(told["path"], output) if told["path"] else output
        return s3_faults.explained(what, address, code, "Forbidden" if said == "null" else said)
    if many := _S3_MANY.search(text):
        return s3_faults.explained("delete", _address(many["key"], output), _DENIED, many["said"])
    return None


def _tried(operation: str, *, is_head: bool) -> str:
    if "getfilestatus" in operation:  # a HEAD, and a listing where there is no such object
        return "look at" if is_head else "list"
    return next((what for part, what in _BY_OPERATION if part in operation), "write")


def _address(path: str, output: str) -> str:
    """The address of what S3A names, which for some operations is the key alone."""
    return uri.normalise(path) if "://" in path else uri.join(uri.bucket(output), path)


def _of_google(text: str, output: str) -> StorageError | None:
    if told := _GOOGLE.search(text):
        key = told["key"] or told["name"]
        what = _BY_METHOD.get(told["method"], "read" if key else "list")
        found = _GOOGLE_SAID.search(told["body"] or "")
        said = found[1] if found else ""
        # The connector names a small object in the body of its request alone.
        address = output if what == "write" and not key else f"gs://{told['bucket']}/{unquote(key or '')}"
    elif answer := _GOOGLE_TOLD.search(text):
        one = _GOOGLE_ONE.search(text)
        what = _BY_GERUND.get(one["operation"], "write") if one else "use"
        said, address = answer["said"], one["address"] if one else output
    else:
        return None
    try:
        from google.api_core.exceptions import Forbidden

        from fruits_pipeline.storage.gcs_faults import explained
    except ModuleNotFoundError:  # because Spark needs no client of ours, and its own words have to do then
        return None
    return explained(what, address.removesuffix("/"), Forbidden(said or "no reason given"))
