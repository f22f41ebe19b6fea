"""Time limits and retries of all requests to storage."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # because obstore has these names for type checkers only
    from obstore.store import BackoffConfig, ClientConfig, RetryConfig


@dataclass(frozen=True)
class Patience:
    """Seconds, and a count of retries; a retryable request is sent again after a growing wait.

    obstore's own defaults give up after 2 to 3 s of 503 SlowDown, and end a large body that is slow but alive.

    Attributes:
        connect_s: Longest wait for a connection.
        silence_s: Longest wait for a next piece of the answer.
        first_wait_s: Wait before the first retry, which then grows, with a random part.
        longest_wait_s: What it grows to.
        retries: Most retries.
        total_s: No retry begins later than this.
    """

    connect_s: float = 10.0
    silence_s: float = 15.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 20.0
    retries: int = 10
    total_s: float = 180.0

    def client_options(self, endpoint: str | None) -> "ClientConfig":
        """Obstore's ``client_options`` for a server at ``endpoint`` (None: the cloud's own)."""
        return {
            "allow_http": endpoint is not None and endpoint.startswith("http:"),
            "connect_timeout": timedelta(seconds=self.connect_s),
            "read_timeout": timedelta(seconds=self.silence_s),
            # It would cover the whole body; silence is what is bounded.
            "timeout": timedelta(days=1),
        }

    def retry_config(self) -> "RetryConfig":
        """Obstore's ``retry_config``."""
        waits: BackoffConfig = {
            "init_backoff": timedelta(seconds=self.first_wait_s),
            "max_backoff": timedelta(seconds=self.longest_wait_s),
            "base": 2,
        }
        return {"backoff": waits, "max_retries": self.retries, "retry_timeout": timedelta(seconds=self.total_s)}


# Of the clouds' own clients, whose reads hold whole objects.
STEADY: Final = Patience(silence_s=60.0)
