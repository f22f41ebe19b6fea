"""A server that gives scripted answers, for what no real server can be told to do."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """One response; of its body only ``sent`` bytes are sent before the connection is cut (None: all)."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None


def s3_error(status, code, region="us-east-1"):
    body = f"<Error><Code>{code}</Code><Message>a message.</Message></Error>"
    return Answer(status, body.encode(), {"x-amz-bucket-region": region})


def gcs_error(status, message):
    body = f'{{"error": {{"code": {status}, "message": "{message}"}}}}'
    return Answer(status, body.encode(), {"Content-Type": "application/json"})


class Stub(ThreadingHTTPServer):
    """``script`` is played answer by answer, its last one for ever; an answer may be a function of the path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.script: list[Answer | Callable[[str, str], Answer]] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def next_answer(self, method: str, path: str) -> Answer:
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return answer if isinstance(answer, Answer) else answer(method, path)

    def handle_error(self, _request: object, _client: object) -> None:
        """Says nothing: clients hang up as they like."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stub

    def handle_any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        answer = self.server.next_answer(self.command, self.path)
        first = int((self.headers.get("Range") or "bytes=0-").split("=")[1].partition("-")[0])
        body = answer.body[first:]
        self.send_response(206 if first else answer.status)
        for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: answer.sent])
        self.close_connection = answer.sent is not None

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 because http.server spells them so

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""
