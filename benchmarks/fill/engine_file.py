"""The shortest way into the embedded engine: rows written straight into its SQLite file while it is stopped.

Through its API every batch is synced to disk; nine million items would take hours. A row here is what the engine itself
would have written (a test compares them), but for ``hash_prefix``, by which it cuts parallel scans, and the service
scans nothing.
"""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson

from service.store.codec import encode_item
from service.store.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from benchmarks.fill.people import Row
    from service.store.codec import Value
    from service.store.table import TableNames

KEYS: Mapping[Table, tuple[str, ...]] = {
    Table.USERS: ("uid", "sk"),
    Table.IDENTITIES: ("k",),
    Table.SESSIONS: ("uid", "sid"),
}
_AT_ONCE = 20_000
_CACHE_KIB = 1 << 20

FileRow = tuple[str, str, str, int]


def write_rows(path: Path, names: TableNames, rows: Iterable[Row]) -> int:
    """Write ``rows`` into the tables, which exist, and answer how many they were. The engine must not run."""
    count = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA synchronous = OFF")
        file.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        for batch in _batches(rows):
            file.execute("BEGIN")
            for table, found in batch.items():
                statement = f'INSERT INTO "{names.of(table)}" (pk, sk, item_json, item_size) VALUES (?, ?, ?, ?)'
                file.executemany(statement, found)
                count += len(found)
            file.execute("COMMIT")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return count


def file_row(table: Table, item: Mapping[str, Value | None]) -> FileRow:
    """An item as the engine keeps it: partition key, sort key, the item as DynamoDB's JSON, its size in bytes."""
    keys = [_key_text(item[name]) for name in KEYS[table]]
    encoded = encode_item(item)
    text = orjson.dumps(encoded, default=_base64).decode()
    return keys[0], keys[1] if len(keys) > 1 else "", text, size_of(encoded)


def size_of(encoded: Mapping[str, Mapping[str, Any]]) -> int:
    """The size of an item by DynamoDB's rule, as the engine counts it."""
    return sum(len(name) + _size(*attribute.items()) for name, attribute in encoded.items())


def _size(typed: tuple[str, Any]) -> int:
    kind, value = typed
    if kind == "N":
        digits = value.lstrip("-").strip("0")
        return (len(digits) + 1) // 2 + 1
    return 1 if kind == "BOOL" else len(value)


def _key_text(value: Value | None) -> str:
    return f"B:{value.hex()}" if isinstance(value, bytes) else f"S:{value}"


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


def _batches(rows: Iterable[Row]) -> Iterator[dict[Table, list[FileRow]]]:
    batch: dict[Table, list[FileRow]] = {}
    held = 0
    for table, item in rows:
        batch.setdefault(table, []).append(file_row(table, item))
        held += 1
        if held == _AT_ONCE:
            yield batch
            batch, held = {}, 0
    if batch:
        yield batch
