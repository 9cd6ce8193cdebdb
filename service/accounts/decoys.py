"""Writes that stand for those which an unknown address does not need, so that the time tells nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.store.operations import Put
from service.store.table import Table

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.store.codec import Value
    from service.store.dynamo import Dynamo

_LIFE_SECONDS = 3600
_ID_BYTES = 16
_PAYLOAD_BYTES = 300
"""About as long as what is stored of a mail."""


@dataclass(frozen=True, kw_only=True)
class Decoys:
    """Items that nobody reads, under fresh keys, soon collected."""

    dynamo: Dynamo
    clock: Clock
    entropy: Entropy

    def writes(self, count: int) -> list[Coroutine[Any, Any, None]]:
        """``count`` writes, to be awaited beside each other."""
        return [self.one_write() for _ in range(count)]

    async def one_write(self) -> None:
        """One write of a usual size."""
        item: dict[str, Value | None] = {
            "k": f"decoy#{self.entropy.token_bytes(_ID_BYTES).hex()}",
            "bx": self.entropy.token_bytes(_PAYLOAD_BYTES),
            "ttl": self.clock.now_ms() // 1000 + _LIFE_SECONDS,
        }
        await self.dynamo.write(Put(table=Table.ONETIME, item=item))
