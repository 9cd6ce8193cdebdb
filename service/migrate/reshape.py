"""From an old item to the write that makes it new. Pure.

The write's condition is that the item has not the new version yet and is as it was read, so that a live writer wins and
a second run changes nothing. Expressions are built here, alone in the service, since a backfill works on any item.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.store.codec import decode_item, encode_item, encode_value
from service.store.operations import Update
from service.store.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from service.migrate.steps import Backfill
    from service.store.codec import Item, Value


Attempt = Update | str | None


class KeyChanged(ValueError):
    """The function answered an item with another key; a new key shape is a new table."""


def attempt(step: Backfill, key_names: Collection[str], old: Item) -> Attempt:
    """Like ``reshape``, with the reason as text where it raises; never the error's message, which may quote data."""
    try:
        return reshape(step, key_names, old)
    except Exception as error:  # noqa: BLE001 - the function is the migration's: any error means this item is poison
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def attempt_raw(step: Backfill, key_names: Collection[str], raw: Mapping[str, Any]) -> Attempt:
    """Like ``attempt`` for an item as DynamoDB sent it, which may hold what our codec refuses."""
    try:
        old = decode_item(raw)
    except (TypeError, ValueError) as error:
        return f"{type(error).__name__}: a value that no item of the service holds"
    return attempt(step, key_names, old)


def reshape(step: Backfill, key_names: Collection[str], old: Item) -> Update | None:
    """The write, or None when the item needs none. Raises whatever the function raises, KeyChanged, TypeError."""
    version = old.get(step.version_attribute)
    if isinstance(version, int) and version >= step.version:
        return None
    answer = step.convert(dict(old))
    if answer is None:
        return None
    # What the codec leaves out (None, an empty set) is removed; what it cannot store is refused here.
    stored = encode_item(answer)
    if any(stored.get(name) != encode_value(old[name]) for name in key_names):
        raise KeyChanged
    new = {name: answer[name] for name in stored}
    return _write(step, {name: old[name] for name in key_names}, old, new)


def _write(step: Backfill, key: Mapping[str, Value], old: Item, new: Item) -> Update:
    version = step.version_attribute
    names = sorted(({*old, *new} - key.keys()) | {version})
    alias = {name: f"a{index}" for index, name in enumerate(names)}
    others = [name for name in names if name != version]
    changed = [name for name in others if name in new and (name not in old or _differ(old[name], new[name]))]
    conditions = [
        f"(attribute_not_exists(#{alias[version]}) OR #{alias[version]} < :version)",
        *(f"#{alias[n]} = :old_{alias[n]}" if n in old else f"attribute_not_exists(#{alias[n]})" for n in others),
    ]
    assignments = [f"#{alias[version]} = :version", *(f"#{alias[n]} = :new_{alias[n]}" for n in changed)]
    removed = [f"#{alias[n]}" for n in others if n not in new]
    return Update(
        table=Table(step.table),
        key=key,
        update=f"SET {', '.join(assignments)}" + (f" REMOVE {', '.join(removed)}" if removed else ""),
        condition=" AND ".join(conditions),
        values={
            ":version": step.version,
            **{f":old_{alias[n]}": old[n] for n in others if n in old},
            **{f":new_{alias[n]}": new[n] for n in changed},
        },
        names={f"#{short}": name for name, short in alias.items()},
    )


def _differ(old: Value, new: Value) -> bool:
    """Compared as stored: True equals 1 in Python and not in DynamoDB."""
    return encode_value(old) != encode_value(new)
