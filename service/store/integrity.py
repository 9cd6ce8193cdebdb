"""Only what is DynamoDB's and whole is an answer: the SDK takes any 2xx for a yes, whatever its body says.

To botocore a page of a captive portal in the place of an answer is an item that is not there, or a write that went
through. It does look at DynamoDB's checksum and tries again where that is wrong, but believes the last try. DynamoDB,
and each engine of ours, sends ``x-amz-crc32`` with every yes; DynamoDB Local sends none with a no.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from botocore.exceptions import BotoCoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHECKSUM = "x-amz-crc32"
_FIRST_ERROR = 300


class AnswerNotWhole(BotoCoreError):
    """A 2xx without DynamoDB's checksum, or with another; whether the call was served is not known."""

    fmt = "an answer that is not DynamoDB's, or not whole"


def require_whole_answers(client: Any) -> None:
    """Let every call of ``client`` raise AnswerNotWhole, after the SDK's retries, for what cannot be trusted."""
    client.meta.events.register("before-parse.dynamodb", _hide)
    client.meta.events.register("after-call.dynamodb", _refuse)


def _is_whole(headers: Mapping[str, str], body: bytes) -> bool:
    return headers.get(_CHECKSUM) == str(crc32(body))


def _hide(response_dict: dict[str, Any], **_: Any) -> None:
    # Some of it could not even be parsed, and the parser's exceptions end a call without a second try.
    headers = response_dict["headers"]
    is_promised = response_dict["status_code"] < _FIRST_ERROR or headers.get(_CHECKSUM) is not None
    if is_promised and not _is_whole(headers, response_dict["body"]):
        response_dict["body"] = b"{}"


async def _refuse(http_response: Any, **_: Any) -> None:
    if http_response.status_code < _FIRST_ERROR and not _is_whole(http_response.headers, await http_response.content):
        raise AnswerNotWhole
