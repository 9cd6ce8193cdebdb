"""What a migration may do, as values. A migration's file gets a ``StepFactory`` and yields what its methods answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service.store.table_state import KeyAttribute

Convert = Callable[[dict[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class CreateTable:
    """An on-demand table; with deletion protection and the customer's key from its first moment, where asked for."""

    table: str
    keys: tuple[KeyAttribute, ...]
    protected: bool
    customer_key: bool

    def __str__(self) -> str:
        extras = ", protected" * self.protected + ", customer key" * self.customer_key
        return f"create table {self.table} ({', '.join(map(str, self.keys))}{extras})"


@dataclass(frozen=True, kw_only=True)
class EnableTtl:
    """Let items expire by ``attribute``, which holds seconds since the epoch."""

    table: str
    attribute: str

    def __str__(self) -> str:
        return f"expire items of {self.table} by {self.attribute}"


@dataclass(frozen=True, kw_only=True)
class EnablePitr:
    """Point-in-time recovery."""

    table: str

    def __str__(self) -> str:
        return f"point-in-time recovery of {self.table}"


@dataclass(frozen=True, kw_only=True)
class Encrypt:
    """The customer's key on a table that exists already."""

    table: str

    def __str__(self) -> str:
        return f"customer key on {self.table}"


@dataclass(frozen=True, kw_only=True)
class Protect:
    """Deletion protection on a table that exists already."""

    table: str

    def __str__(self) -> str:
        return f"deletion protection of {self.table}"


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """Bring every item of a table to ``version``.

    ``convert`` is pure: it gets an item and answers the new one, or None to leave it as it is. It must not touch keys.
    """

    table: str
    version: int
    convert: Convert
    version_attribute: str
    segments: int
    page_items: int
    units_per_second: float
    allow_poison: bool

    def __str__(self) -> str:
        return f"backfill {self.table} to {self.version_attribute} {self.version}"


TableStep = CreateTable | EnableTtl | EnablePitr | Encrypt | Protect
Step = TableStep | Backfill


class StepFactory:
    """The argument of a migration's ``steps``: files import nothing of the service, so that they never change."""

    def create_table(
        self,
        table: str,
        *,
        hash_key: tuple[str, str],
        range_key: tuple[str, str] | None = None,
        protected: bool = False,
        customer_key: bool = False,
    ) -> CreateTable:
        """A table with keys as (name, type), where the type is S, N or B."""
        pairs = (hash_key,) if range_key is None else (hash_key, range_key)
        keys = tuple(KeyAttribute(name, kind) for name, kind in pairs)
        return CreateTable(table=table, keys=keys, protected=protected, customer_key=customer_key)

    def enable_ttl(self, table: str, *, attribute: str = "ttl") -> EnableTtl:
        """Let items expire by ``attribute``."""
        return EnableTtl(table=table, attribute=attribute)

    def enable_pitr(self, table: str) -> EnablePitr:
        """Point-in-time recovery."""
        return EnablePitr(table=table)

    def encrypt(self, table: str) -> Encrypt:
        """The customer's key."""
        return Encrypt(table=table)

    def protect(self, table: str) -> Protect:
        """Deletion protection."""
        return Protect(table=table)

    def backfill(
        self,
        table: str,
        *,
        version: int,
        convert: Convert,
        version_attribute: str = "sv",
        segments: int = 4,
        page_items: int = 100,
        units_per_second: float = 200.0,
        allow_poison: bool = False,
    ) -> Backfill:
        """Bring every item to ``version``; ``units_per_second`` bounds read and write units together."""
        return Backfill(
            table=table,
            version=version,
            convert=convert,
            version_attribute=version_attribute,
            segments=segments,
            page_items=page_items,
            units_per_second=units_per_second,
            allow_poison=allow_poison,
        )
