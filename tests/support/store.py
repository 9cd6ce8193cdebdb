"""Stand-ins for what the store stands on: chance, the meter, the SDK's client, and the port itself."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from service.store.dynamo import Page
from service.store.errors import ConditionFailed

READS = frozenset({"get_item", "query", "batch_get_item"})


@dataclass
class CountedEntropy:
    """Bytes that differ at each draw and are the same in each run; different seeds never agree."""

    seed: str = "test"
    draws: int = 0

    def token_bytes(self, size_bytes):
        self.draws += 1
        return hashlib.shake_256(f"{self.seed}/{self.draws}".encode()).digest(size_bytes)


@dataclass(frozen=True)
class Call:
    operation: str
    table: str
    seconds: float
    units: float
    failed: bool


@dataclass
class RecordingMeter:
    """Remembers every call, and adds up the units of reads and of writes."""

    calls: list[Call] = field(default_factory=list)

    def record(self, *, operation, table, seconds, units, failed):
        self.calls.append(Call(operation, table, seconds, units, failed))

    @property
    def rru(self):
        return sum(call.units for call in self.calls if call.operation in READS)

    @property
    def wru(self):
        return sum(call.units for call in self.calls if call.operation not in READS)

    def clear(self):
        self.calls.clear()


def client_error(code, **response):
    """The SDK's error for an answer with this code."""
    return ClientError({"Error": {"Code": code, "Message": "as DynamoDB says"}, **response}, "Operation")


class ScriptedClient:
    """An SDK client that answers from a list, in order: a dictionary, an error to raise, or a function of the request.

    What was asked stands in ``requests`` as (operation, arguments).
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation):
        async def call(**request):
            self.requests.append((operation, request))
            answer = self.answers.pop(0)
            if callable(answer):
                answer = answer(request)
                if inspect.isawaitable(answer):
                    answer = await answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class ScriptedDynamo:
    """The store's port without a store: answers from a list, and remembers the operations as values."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.operations: list[Any] = []

    async def _answer(self, operation):
        self.operations.append(operation)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def get(self, operation):
        return await self._answer(operation)

    async def write(self, operation):
        return await self._answer(operation)

    async def query(self, operation):
        return await self._answer(operation)

    async def batch_get(self, operations):
        return await self._answer(list(operations))

    async def transact(self, actions):
        return await self._answer(list(actions))


def page(*items, next_start=None):
    return Page(items=items, next_start=next_start)


def refused(item=None):
    return ConditionFailed(item)
