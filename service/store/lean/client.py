"""The lean client: the data plane's calls as the SDK's client names them, and the SDK's client for all others."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from botocore.exceptions import ClientError, CredentialRetrievalError

from service.store.lean.answers import read_answer, server_ms
from service.store.lean.connection import AnswerTimedOut
from service.store.lean.retry import TOTAL_ATTEMPTS, Failure, RetryQuota, failure_of, skew_ms, wait_seconds

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.store.lean.connection import Answer
    from service.store.lean.signer import Credentials, Signer

_VERSION = "DynamoDB_20120810"


class CredentialSource(Protocol):
    """aioboto3's credentials, which renew themselves before they expire."""

    async def get_frozen_credentials(self) -> Credentials:
        """The keys of this moment."""
        ...


class Line(Protocol):
    """How a request gets to DynamoDB: the pool."""

    async def exchange(self, request: bytes) -> Answer:
        """The answer to ``request``. Raises OSError when there is none."""
        ...


@dataclass(kw_only=True, eq=False)
class LeanClient:
    """Signs, sends, retries. Calls raise what the SDK's would (ClientError, BotoCoreError), or OSError."""

    plain: Any
    line: Line
    signer: Signer
    credentials: CredentialSource
    clock: Clock
    entropy: Entropy
    quota: RetryQuota = field(default_factory=RetryQuota)
    skew_ms: int = 0
    """How far this machine's clock is behind DynamoDB's, once a refused signature has shown it."""

    def __getattr__(self, name: str) -> Any:
        """Whatever is not on the hot path, such as tables and scans, is the SDK's business."""
        return getattr(self.plain, name)

    async def get_item(self, **request: Any) -> dict[str, Any]:
        """GetItem."""
        return await self._call("GetItem", request)

    async def query(self, **request: Any) -> dict[str, Any]:
        """Query."""
        return await self._call("Query", request)

    async def put_item(self, **request: Any) -> dict[str, Any]:
        """PutItem."""
        return await self._call("PutItem", request)

    async def update_item(self, **request: Any) -> dict[str, Any]:
        """UpdateItem."""
        return await self._call("UpdateItem", request)

    async def delete_item(self, **request: Any) -> dict[str, Any]:
        """DeleteItem."""
        return await self._call("DeleteItem", request)

    async def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """BatchGetItem."""
        return await self._call("BatchGetItem", request)

    async def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """TransactWriteItems."""
        return await self._call("TransactWriteItems", request)

    async def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        body = orjson.dumps(request, default=_base64)
        price: int | None = None
        attempt = 1
        while True:
            sent_ms = self.clock.now_ms() + self.skew_ms
            try:
                answer = await self.line.exchange(await self._signed(operation, body, sent_ms))
                value = read_answer(operation, answer, attempt=attempt)
            except (ClientError, OSError) as error:
                if attempt == TOTAL_ATTEMPTS:
                    raise
                if not self._has_set_clock(error, sent_ms):
                    failure = _failure(error)
                    price = None if failure is None else self.quota.take(failure)
                    if failure is None or price is None:
                        raise
                    await self.clock.sleep(wait_seconds(failure, attempt=attempt, chance=self._chance()))
                attempt += 1
            else:
                self.quota.give_back(price)
                return value

    async def _signed(self, operation: str, body: bytes, sent_ms: int) -> bytes:
        """A retry is signed anew: its keys may have been renewed and its second is another."""
        try:
            keys = await self.credentials.get_frozen_credentials()
        except RuntimeError as error:
            # That is how botocore says that the renewed keys have expired as well.
            raise CredentialRetrievalError(provider="renewal", error_msg="renewed keys have expired") from error
        return self.signer.head(f"{_VERSION}.{operation}", body, credentials=keys, now_ms=sent_ms) + body

    def _has_set_clock(self, error: Exception, sent_ms: int) -> bool:
        """Whether the signature was refused for its time; the next ones are then made with DynamoDB's."""
        if not isinstance(error, ClientError):
            return False
        wrong_by_ms = skew_ms(code=_code(error), server_ms=server_ms(error), sent_ms=sent_ms)
        if wrong_by_ms is None:
            return False
        self.skew_ms = sent_ms + wrong_by_ms - self.clock.now_ms()
        return True

    def _chance(self) -> float:
        return int.from_bytes(self.entropy.token_bytes(2)) / 65536


def _failure(error: ClientError | OSError) -> Failure | None:
    if isinstance(error, ClientError):
        return failure_of(status=error.response["ResponseMetadata"]["HTTPStatusCode"], code=_code(error))
    return Failure.TIMED_OUT if isinstance(error, AnswerTimedOut) else Failure.TRANSIENT


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _base64(value: Any) -> str:
    """Binary values as JSON carries them. Raises TypeError, by which orjson refuses whatever else it does not know."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} is not sent")
