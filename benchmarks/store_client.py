"""What one DynamoDB call costs in CPU time, by client: ``python -m benchmarks.store_client``.

All ask the same embedded engine on loopback for the two calls of a refresh (an update beside a read), in turns, on one
uvloop. The figure is this thread's CPU time a call, the median of the rounds; compare figures of one run only.

- ``defaults``: aioboto3 as it comes.
- ``plain``: aioboto3 with the service's settings (``KEYTURN_STORE_CLIENT=plain``).
- ``hook``: the same, with botocore's public event ``before-call`` answering through the lean connections.
- ``aiohttp``: our signature and orjson over an aiohttp session, written by hand, and nothing else.
- ``lean``: the service's own (``KEYTURN_STORE_CLIENT=lean``), with retries, checksums and renewed keys.
- ``bare``: prepared bytes over a socket; nothing is made or read.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
import zlib
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aioboto3
import aiohttp
import orjson
import uvloop
from yarl import URL

from service.engines.process import EngineProcess
from service.engines.registry import choose
from service.kernel.clock import SystemClock
from service.kernel.entropy import SystemEntropy
from service.store.client import client_config, open_client, open_lean_client
from service.store.lean.answers import read_answer
from service.store.lean.client import _base64

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

TABLE = "bench-sessions"
KEY = {"uid": {"B": b"u" * 16}, "sid": {"B": b"s" * 16}}
SESSION = {
    **KEY,
    **{name: {"B": b"h" * 32} for name in ("h", "ph")},
    **{name: {"N": "1800000000000"} for name in ("g", "rt", "ix", "ax", "ep", "ttl", "ct", "at")},
    **{name: {"S": "x" * 24} for name in ("cid", "scope", "dn", "ip")},
    "n": {"B": b"n" * 16},
    "st": {"S": "a"},
    "ua": {"S": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
    "amr": {"L": [{"S": "pwd"}]},
}
READ = {"TableName": TABLE, "Key": KEY, "ConsistentRead": True, "ReturnConsumedCapacity": "TOTAL"}
ROTATE = {
    "TableName": TABLE,
    "Key": KEY,
    "UpdateExpression": "SET ph = h, h = :next, g = g + :one, n = :n, rt = :now, ix = :ix",
    "ConditionExpression": "st = :active AND rt < :late AND ix > :now AND ax > :now",
    "ExpressionAttributeValues": {
        ":next": {"B": b"i" * 32},
        ":n": {"B": b"n" * 16},
        ":one": {"N": "1"},
        ":now": {"N": "1700000000000"},
        ":late": {"N": "1900000000000"},
        ":ix": {"N": "1800000000000"},
        ":active": {"S": "a"},
    },
    "ReturnValues": "ALL_NEW",
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    "ReturnConsumedCapacity": "TOTAL",
}
CALLS = (("get_item", READ), ("update_item", ROTATE))
TARGETS = {"get_item": "GetItem", "update_item": "UpdateItem"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--calls", type=int, default=300, help="pairs of calls a round")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    os.environ.update({"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"})
    uvloop.run(_measure(options.calls, options.rounds))


async def _measure(calls: int, rounds: int) -> None:
    spent: dict[str, list[float]] = {}
    async with EngineProcess(choose("auto")) as engine, AsyncExitStack() as stack:
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = engine.endpoint_url
        clients = await open_clients(stack)
        for number in range(rounds + 1):
            for name, cpu_ms in (await clients.measure(calls)).items():
                spent.setdefault(name, []).extend([cpu_ms] if number else [])
    plain = statistics.median(spent["plain"])
    print(f"{'client':10} {'CPU ms a call':>14} {'spread':>15} {'of plain':>9}")
    for name, found in spent.items():
        middle = statistics.median(found)
        print(f"{name:10} {middle:14.3f} {min(found):7.3f}-{max(found):.3f} {middle / plain:9.2f}")


@dataclass(frozen=True, kw_only=True)
class Clients:
    """The clients by name, open on the event loop that has opened them."""

    ways: Mapping[str, Any]

    async def measure(self, calls: int) -> dict[str, float]:
        """One round: CPU milliseconds of this thread for a call, of ``calls`` pairs by each."""
        spent = {}
        for name, call in self.ways.items():
            begun = time.thread_time()
            for _ in range(calls):
                await asyncio.gather(*(call(*one) for one in CALLS))
            spent[name] = (time.thread_time() - begun) * 1000 / (2 * calls)
        return spent


async def open_clients(stack: AsyncExitStack) -> Clients:
    """All of them, and the table that they call; the endpoint is that of AWS's variables."""
    ways = await _ways(stack)
    await make_table(stack)
    return Clients(ways=ways)


async def _ways(stack: AsyncExitStack) -> Mapping[str, Any]:
    session = aioboto3.Session(region_name="us-east-1")
    lean = await stack.enter_async_context(open_lean_client(clock=SystemClock(), entropy=SystemEntropy()))
    hooked = await stack.enter_async_context(
        session.client("dynamodb", config=client_config(validate_parameters=False))
    )
    hooked.meta.events.register("before-call.dynamodb", partial(_hook, lean))
    by_name = {
        "defaults": await stack.enter_async_context(session.client("dynamodb")),
        "plain": await stack.enter_async_context(open_client(validate_parameters=False)),
        "hook": hooked,
        "aiohttp": None,
        "lean": lean,
    }
    ways = {name: partial(_by_method, client) for name, client in by_name.items()}
    ways["aiohttp"] = partial(over_aiohttp, await stack.enter_async_context(aiohttp_session()), lean)
    ways["bare"] = partial(_bare, lean.line, {name: await _prepared(lean, name, asked) for name, asked in CALLS})
    return ways


async def make_table(stack: AsyncExitStack) -> None:
    """The table of the calls, with its one session."""
    client = await stack.enter_async_context(open_client(validate_parameters=False))
    await client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "uid", "KeyType": "HASH"}, {"AttributeName": "sid", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "B"} for name in ("uid", "sid")],
    )
    await client.put_item(TableName=TABLE, Item=SESSION)


async def _by_method(client: Any, name: str, request: dict[str, Any]) -> Any:
    return await getattr(client, name)(**request)


async def _hook(lean: Any, params: dict[str, Any], **_: Any) -> Any:
    """What botocore has prepared, sent and read by us: it then neither signs, sends, retries nor parses."""
    operation, body = params["headers"]["X-Amz-Target"].rpartition(".")[2], params["body"]
    answer = await lean.line.exchange(await lean._signed(operation, body, lean.clock.now_ms()))  # noqa: SLF001
    return SimpleNamespace(status_code=answer.status), read_answer(operation, answer, attempt=1)


@asynccontextmanager
async def aiohttp_session() -> AsyncIterator[aiohttp.ClientSession]:
    """One as cheap as its options make it."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=128, keepalive_timeout=50),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers={"User-Agent", "Accept", "Accept-Encoding", "Content-Type"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=1, sock_read=2),
    ) as session:
        yield session


async def over_aiohttp(session: aiohttp.ClientSession, lean: Any, name: str, request: dict[str, Any]) -> Any:
    """The transport that anybody would write by hand."""
    body = orjson.dumps(request, default=_base64)
    head = (await lean._signed(TARGETS[name], body, lean.clock.now_ms()))[: -len(body)].decode()  # noqa: SLF001
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
    url = URL(os.environ["AWS_ENDPOINT_URL_DYNAMODB"] + "/")
    async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
        raw = await response.read()
        if (checksum := response.headers.get("x-amz-crc32")) and int(checksum) != zlib.crc32(raw):
            raise ValueError("checksum")
    return orjson.loads(raw)


async def _prepared(lean: Any, name: str, request: dict[str, Any]) -> bytes:
    body = orjson.dumps(request, default=_base64)
    return await lean._signed(TARGETS[name], body, lean.clock.now_ms())  # noqa: SLF001


async def _bare(line: Any, prepared: Mapping[str, bytes], name: str, _request: dict[str, Any]) -> Any:
    return await line.exchange(prepared[name])


if __name__ == "__main__":
    main()
