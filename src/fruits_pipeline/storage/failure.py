"""HTTP status, error code and message of a failed request, parsed from the text of obstore's errors."""

import re
from dataclasses import dataclass
from typing import Self

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([\w.]+)</Code>")
_PROVIDER = re.compile(r"credential provider: (\w+)")
_MESSAGE = re.compile(r"<Message>([^<]*)</Message>")
# What obstore makes of S3's answer that the bucket is in another region.
_REDIRECT = "redirect without LOCATION"
_LONGEST = 200

# What servers refuse for the sake of one object: an archived one, a key too long, a key of the customer's own.
_OF_ONE_OBJECT = {
    403: {"", "AccessDenied", "Forbidden", "InvalidObjectState"},
    400: {"KeyTooLongError", "InvalidURI", "InvalidRequest", "InvalidArgument"},
    404: {"", "NoSuchKey", "NoSuchVersion", "NotFound"},
    405: {"", "MethodNotAllowed"},
    410: {""},
}


@dataclass(frozen=True)
class Failure:
    """HTTP status (0 where no answer came), the server's code ("" where it gave none), and its words."""

    status: int
    code: str
    message: str

    @classmethod
    def of(cls, error: Exception) -> Self:
        """What obstore's error says.

        >>> Failure.of(OSError("... status code: 403 Forbidden: <Code>AccessDenied</Code> ..."))
        Failure(status=403, code='AccessDenied', message='AccessDenied')
        """
        text = str(error)
        if _REDIRECT in text:
            return cls(301, "PermanentRedirect", "the bucket is in another region")
        status, code = _STATUS.search(text), _CODE.search(text) or _PROVIDER.search(text)
        said = _MESSAGE.search(text)
        found = code[1] if code else ""
        message = said[1] if said else found or _short(text)
        return cls(int(status[1]) if status else 0, found, message)

    @property
    def of_one_object(self) -> bool:
        """Whether the object is at fault, not the source."""
        return self.code in _OF_ONE_OBJECT.get(self.status, ())

    def __str__(self) -> str:
        """The failure in one line, the same in every run."""
        return " ".join(part for part in (str(self.status or ""), self.code) if part) or self.message


def _short(text: str) -> str:
    """Obstore's own words: what stands before its debugging, without line breaks."""
    return " ".join(text.partition("Debug source:")[0].split())[:_LONGEST]
