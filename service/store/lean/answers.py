"""From the bytes of an answer to what the SDK's client would answer or raise."""

from __future__ import annotations

import zlib
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from service.store.lean.connection import Answer

_REQUEST_ID = b"x-amzn-requestid"
_CHECKSUM = b"x-amz-crc32"


class CorruptAnswer(OSError):
    """An answer that was damaged on its way, or is not DynamoDB's: a success always has its checksum."""


def read_answer(operation: str, answer: Answer, *, attempt: int) -> dict[str, Any]:
    """The value of ``answer``. Binary attributes stay the base64 that they are; the store's codec decodes them.

    Raises ClientError as the SDK does, and CorruptAnswer. What stands between us and DynamoDB may answer a page of its
    own: as a refusal it is one of a server that is away, as a success it must not pass for an item that is not there.
    """
    checksum = answer.headers.get(_CHECKSUM)
    if checksum != b"%d" % zlib.crc32(answer.body) and (checksum is not None or answer.status == HTTPStatus.OK):
        raise CorruptAnswer("the checksum is wrong")
    metadata = {
        "RequestId": answer.headers.get(_REQUEST_ID, b"").decode("latin-1"),
        "HTTPStatusCode": answer.status,
        "RetryAttempts": attempt - 1,
    }
    value = _object(answer.body)
    if answer.status != HTTPStatus.OK:
        raise _refusal(operation, answer, value or {}, metadata)
    if value is None:
        raise CorruptAnswer("not JSON")
    value["ResponseMetadata"] = metadata
    return value


def server_ms(refusal: ClientError) -> int | None:
    """The time of the server's clock when it refused, or None when it did not say."""
    headers = refusal.response["ResponseMetadata"]["HTTPHeaders"]
    try:
        return int(parsedate_to_datetime(headers.get("date", "")).timestamp() * 1000)
    except ValueError:
        return None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _refusal(operation: str, answer: Answer, value: dict[str, Any], metadata: dict[str, Any]) -> ClientError:
    """Named by the body or, where something between us and DynamoDB answered, by the header or the status."""
    named = value.pop("__type", None) or answer.headers.get(b"x-amzn-errortype", b"").decode("latin-1")
    code = str(named).rsplit("#", 1)[-1].split(":", 1)[0] or str(answer.status)
    message = str(value.pop("message", None) or value.pop("Message", ""))
    metadata["HTTPHeaders"] = {name.decode("latin-1"): text.decode("latin-1") for name, text in answer.headers.items()}
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata, **value}
    return ClientError(response, operation)
