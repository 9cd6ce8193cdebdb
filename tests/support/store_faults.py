"""What can become of a call to DynamoDB, by name.

``NOT_SERVED``, ``FINAL``, ``FOREIGN``: the store has not seen it. ``SERVED``: it has, and the service does not learn of
it. ``PARTIAL``: the store answers, as it may, with less than was asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.store_proxy import Exchange
    from tests.support.store_wire import Call

_TYPES = "com.amazonaws.dynamodb.v20120810#"


@dataclass(frozen=True)
class Fault:
    """``fits`` says for which calls it makes sense."""

    name: str
    do: Callable[[Exchange], Awaitable[None]]
    fits: Callable[[Call], bool] = lambda _call: True

    async def __call__(self, exchange: Exchange) -> None:
        await self.do(exchange)

    def __str__(self) -> str:
        return self.name


async def refuse(exchange: Exchange, status: int, code: str, **more: object) -> None:
    """Answer with an error of DynamoDB's."""
    body = json.dumps({"__type": _TYPES + code, "message": "as DynamoDB says", **more}).encode()
    await exchange.answer_with(
        status, body, "Content-Type: application/x-amz-json-1.0", f"x-amz-crc32: {crc32(body)}", "x-amzn-RequestId: F"
    )


def refusal(status: int, code: str) -> Fault:
    async def do(exchange: Exchange) -> None:
        await refuse(exchange, status, code)

    return Fault(code, do)


async def _conflict(exchange: Exchange) -> None:
    if exchange.call.operation != "TransactWriteItems":
        await refuse(exchange, 400, "TransactionConflictException")
        return
    codes = ["TransactionConflict"] + ["None"] * (len(exchange.call.arguments["TransactItems"]) - 1)
    await refuse(exchange, 400, "TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


async def _break_off(exchange: Exchange) -> None:
    exchange.break_off()


async def _served_break_off(exchange: Exchange) -> None:
    await exchange.serve()
    exchange.break_off()


async def _break_in_the_middle(exchange: Exchange) -> None:
    served = await exchange.serve()
    exchange.writer.write(served.head + served.body[: len(served.body) // 2])
    await exchange.writer.drain()
    exchange.break_off()


async def _silence(exchange: Exchange) -> None:
    await exchange.stay_silent()


async def _served_silence(exchange: Exchange) -> None:
    await exchange.serve()
    await exchange.stay_silent()


async def _served_500(exchange: Exchange) -> None:
    await exchange.serve()
    await refuse(exchange, 500, "InternalServerError")


async def _html(exchange: Exchange) -> None:
    await exchange.answer_with(200, b"<html><p>Please sign in to the network", "Content-Type: text/html")


async def _empty_object(exchange: Exchange) -> None:
    await exchange.answer_with(200, b"{}", "Content-Type: application/json")


async def _list(exchange: Exchange) -> None:
    await exchange.answer_with(200, b"[]", "Content-Type: application/json")


async def _bytes(exchange: Exchange) -> None:
    await exchange.answer_with(200, bytes(range(128, 256)), "Content-Type: application/octet-stream")


async def _truncated(exchange: Exchange) -> None:
    """As of DynamoDB, with the checksum of the whole."""
    served = await exchange.serve()
    body = served.body[: len(served.body) // 2]
    checksum = f"x-amz-crc32: {crc32(served.body)}"
    await exchange.answer_with(200, body, "Content-Type: application/x-amz-json-1.0", checksum)


async def _wrong_checksum(exchange: Exchange) -> None:
    """A bit of the answer has tipped over, and it can still be read."""
    served = await exchange.serve()
    await exchange.answer_with(
        200, served.body, "Content-Type: application/x-amz-json-1.0", f"x-amz-crc32: {crc32(served.body) ^ 1}"
    )


async def _unprocessed(exchange: Exchange) -> None:
    """All but the first key of each table are left for another time."""
    call, left = exchange.call, {}
    for table, asked in call.arguments["RequestItems"].items():
        if asked["Keys"][1:]:
            left[table] = {**asked, "Keys": asked["Keys"][1:]}
    kept = {table: {**asked, "Keys": asked["Keys"][:1]} for table, asked in call.arguments["RequestItems"].items()}
    answered = await exchange.serve(call.sent.with_value({**call.arguments, "RequestItems": kept}))
    await exchange.answer(answered.with_value({**answered.value, "UnprocessedKeys": left}))


async def _all_unprocessed(exchange: Exchange) -> None:
    call = exchange.call
    answered = await exchange.serve()
    nothing = {"Responses": {}, "UnprocessedKeys": call.arguments["RequestItems"]}
    await exchange.answer(answered.with_value({**answered.value, **nothing}))


async def _short_page(exchange: Exchange) -> None:
    """A page of one item, with the key to go on from."""
    call = exchange.call
    await exchange.answer(await exchange.serve(call.sent.with_value({**call.arguments, "Limit": 1})))


def _is(operation: str) -> Callable[[Call], bool]:
    return lambda call: call.operation == operation


CONFLICT = Fault("conflict", _conflict, lambda call: call.is_write)
SILENCE = Fault("silence", _silence)
SERVED_SILENCE = Fault("served, then silence", _served_silence)
SILENT = (SILENCE, SERVED_SILENCE)
SERVED_BREAK_OFF = Fault("served, then broken off", _served_break_off)
SHORT_PAGE = Fault("short page", _short_page, _is("Query"))

THROTTLED = (
    refusal(400, "ThrottlingException"),
    refusal(400, "ProvisionedThroughputExceededException"),
    refusal(400, "RequestLimitExceeded"),
)
NOT_SERVED = (
    *THROTTLED,
    refusal(500, "InternalServerError"),
    refusal(503, "ServiceUnavailable"),
    Fault("broken off", _break_off),
)
FOREIGN = (
    Fault("html", _html),
    Fault("empty object", _empty_object),
    Fault("list", _list),
    Fault("bytes", _bytes),
)
"""Not served, and a 200 of somebody else's."""
FINAL = (refusal(400, "ExpiredTokenException"), refusal(400, "AccessDeniedException"))
"""Nobody tries again."""
SERVED = (
    Fault("served, then 500", _served_500),
    SERVED_BREAK_OFF,
    Fault("broken off in the middle", _break_in_the_middle),
    Fault("truncated", _truncated),
    Fault("wrong checksum", _wrong_checksum),
)
UNPROCESSED = (
    Fault("unprocessed keys", _unprocessed, _is("BatchGetItem")),
    Fault("no key processed", _all_unprocessed, _is("BatchGetItem")),
)
PARTIAL = (*UNPROCESSED, SHORT_PAGE)
