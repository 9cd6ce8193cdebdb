"""Writes that stand for those which an unknown address does not need, so that the time tells nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.store.operations import Put
from service.store.table import Table

if TYPE_CHECKING:
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
    """Items that nobody reads, soon collected."""

    dynamo: Dynamo
    clock: Clock
    entropy: Entropy

    async def write(self, email_key: str, count: int, *letters: Put) -> None:
        """``count`` decoys and ``letters`` in one transaction, all or nothing. Raises StoreUnavailable.

        One of the decoys has a key that goes with the address, as one of the items that they stand for does (a user, a
        pointer): requests for one address at once hold each other up alike, whoever it belongs to.
        """
        fresh = [self._decoy(self.entropy.token_bytes(_ID_BYTES).hex()) for _ in range(count - 1)]
        await self.dynamo.transact([self._decoy(email_key), *fresh, *letters])

    def _decoy(self, name: str) -> Put:
        item: dict[str, Value | None] = {
            "k": f"decoy#{name}",
            "bx": self.entropy.token_bytes(_PAYLOAD_BYTES),
            "ttl": self.clock.now_ms() // 1000 + _LIFE_SECONDS,
        }
        return Put(table=Table.ONETIME, item=item)
