"""What web sessions need of a table: one method, one DynamoDB call. ``keyturn.websession.client`` has it on boto3."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyturn.websession.ids import Key


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """An item as stored. Times are milliseconds since the epoch; ``ttl`` is seconds, and only collects garbage."""

    key: Key
    payload: bytes = field(repr=False)
    version: int
    created_ms: int
    epoch: int
    idle_expires_ms: int
    expires_ms: int
    ttl: int


class SessionTable(Protocol):
    """The table. Reads are strongly consistent; methods raise SessionUnavailable where DynamoDB does not answer."""

    def get(self, key: Key) -> Record | None:
        """The item, whatever its expiry."""
        ...

    def create(self, record: Record) -> bool:
        """Writes an item that is not there yet; False where there is one."""
        ...

    def replace(self, record: Record, *, version: int, now_ms: int) -> Replaced:
        """Writes over an item that is there, has ``version`` and is not expired at ``now_ms``."""
        ...

    def exchange(self, old: Key, successor: Record, *, now_ms: int) -> Exchanged:
        """Deletes ``old``, if it is there and alive, and writes ``successor``, if its key is free; or neither."""
        ...

    def delete(self, key: Key) -> bool:
        """Deletes the item; False where none was there."""
        ...

    def of_partition(self, pk: str) -> Iterator[Record]:
        """Every session in a partition, page by page."""
        ...

    def epoch(self, key: Key) -> int:
        """The count of a marker; 0 where there is none."""
        ...

    def raise_epoch(self, key: Key) -> None:
        """Counts a marker up by one."""
        ...


class Exchanged(Enum):
    """What came of an exchange; where both conditions did not hold, the old one is over."""

    DONE = auto()
    OLD_IS_OVER = auto()
    KEY_IS_TAKEN = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Replaced:
    """Whether the write went through; where it did not, the item as it is, if there is one."""

    done: bool
    found: Record | None = None
