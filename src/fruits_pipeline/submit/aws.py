"""Calls of AWS's APIs, with advice for their errors."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from fruits_pipeline.errors import SubmissionError

_ATTEMPTS = 6
_TIMEOUT_S = 60
# Characters; botocore prints whole patterns.
_LONGEST_MESSAGE = 400
_NO_ANSWER = "a page in place of AWS's answer, as a proxy or a login gives it"
_AGAIN = "then start the same command again: it follows what was started"
# The first pattern that is found in a refusal's code or message has the advice.
_ADVICE = {
    r"throttl|rate exceeded|TooManyRequests|RequestLimitExceeded": "wait a minute, and start the same command again",
    r"expired|SSOToken|TokenRetrieval|CredentialRetrieval": (
        f"renew the credentials ('aws sso login', or a new AWS_SESSION_TOKEN), {_AGAIN}"
    ),
    r"NoCredentials|PartialCredentials|UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch|ProfileNotFound": (
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; 'aws sts get-caller-identity' must work"
    ),
    r"release ?label": "give a --target whose release this region has ('aws emr list-release-labels'), or a --region",
    r"quota|limit": f"ask for a larger quota in Service Quotas, or give fewer --nodes, {_AGAIN}",
    r"AccessDenied|not authorized|UnauthorizedOperation": (
        "let somebody grant it: SubmitterPolicy in config/emr/account.yaml holds all that submitting takes"
    ),
    r"Connect|Timeout|Proxy|SSL": f"check --region, the network and HTTPS_PROXY, {_AGAIN}",
}
_ELSE = f"correct what it names, {_AGAIN}"


class Aws:
    """Client of one service in one region, with credentials and proxies as ``aws`` finds them."""

    def __init__(self, service: str, region: str, profile: str | None) -> None:
        """``service`` is boto3's name of it, ``profile`` one of the AWS configuration."""
        self._service = service
        self._region = region
        self._profile = profile

    def call(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The response to ``operation``, an API name such as ``RunJobFlow``; throttled calls are retried.

        Raises:
            SubmissionError: When there is no answer, or a refusal.
        """
        from boto3.exceptions import Boto3Error
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            answer: dict[str, Any] = getattr(self._client, xform_name(operation))(**body)
        except ClientError as error:
            told = error.response.get("Error", {})
            raise self._refused(operation, str(told.get("Code")), str(told.get("Message"))) from error
        except ResponseParserError as error:
            raise self._refused(operation, "ProxyAnswer", _NO_ANSWER) from error
        except (BotoCoreError, Boto3Error) as error:
            raise self._refused(operation, type(error).__name__, str(error)) from error
        # Of a page that is no XML and no JSON botocore makes an empty answer; these operations have none.
        if not answer.keys() - {"ResponseMetadata"} and operation.startswith(
            ("Add", "Create", "Get", "List", "Run", "Start")
        ):
            raise self._refused(operation, "ProxyAnswer", _NO_ANSWER)
        return answer

    def list_all(self, operation: str, key: str, body: Mapping[str, Any], token: str) -> Iterator[dict[str, Any]]:
        """The items under ``key`` of all pages; ``token`` is the field of the next page's token.

        Raises:
            SubmissionError: When there is no answer, or a refusal.
        """
        page = self.call(operation, body)
        yield from page.get(key, ())
        while page.get(token):
            page = self.call(operation, {**body, token: page[token]})
            yield from page.get(key, ())

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "max_attempts": _ATTEMPTS},
            connect_timeout=_TIMEOUT_S,
            read_timeout=_TIMEOUT_S,
            user_agent_extra="fruits-pipeline",
        )
        return boto3.Session(profile_name=self._profile).client(self._service, region_name=self._region, config=config)

    def _refused(self, operation: str, code: str, message: str) -> SubmissionError:
        said = " ".join(message.split())[:_LONGEST_MESSAGE].rstrip(".")
        known = (told for pattern, told in _ADVICE.items() if re.search(pattern, f"{code} {said}", re.IGNORECASE))
        return SubmissionError(
            f"expected {self._service} in {self._region} to answer {operation}, found "
            f"{code}: {said}; {next(known, _ELSE)}",
            code=code,
            operation=f"{self._service}:{operation}",
        )
