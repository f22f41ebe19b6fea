"""What Cloud Logging has of a job."""

from typing import Any, Final

from fruits_pipeline.submit.driver_log import LINES, last_lines
from fruits_pipeline.submit.google import Google
from fruits_pipeline.submit.google_rest import Project

CONSOLE: Final = "https://console.cloud.google.com/dataproc"
# Of all containers that YARN logs for, the one in which a driver in cluster mode runs.
DRIVER: Final = 'jsonPayload.container_logname="stderr" AND jsonPayload.container=~"_000001$"'


def driver_lines(google: Google, region: str, query: str) -> list[str]:
    """The last lines that match ``query``, in the order of time.

    Raises:
        SubmissionError: When Cloud Logging refuses, or does not answer.
    """
    # https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
    body = {
        "resourceNames": [f"projects/{google.project}"],
        "filter": query,
        "orderBy": "timestamp desc",
        "pageSize": LINES,
    }
    found = Project(google, region).post("logging.entries.list", "entries:list", body).get("entries", [])
    return last_lines("\n".join(_text(entry) for entry in reversed(found)))


def _text(entry: dict[str, Any]) -> str:
    """The text of an entry: plain, or the message of its fields.

    >>> _text({"textPayload": "a"}), _text({"jsonPayload": {"message": "b", "class": "c"}}), _text({"protoPayload": {}})
    ('a', 'b', '')
    """
    return str(entry.get("textPayload") or entry.get("jsonPayload", {}).get("message") or "")
