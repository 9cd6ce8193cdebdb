"""Ownership in DynamoDB itself: the caller's id is a part of the key, so another's item cannot even be read.

These functions only make arguments, so they fit boto3 and aioboto3, ``Table`` and client alike, and need neither::

    table.get_item(**owned_key(principal, sort=("note_id", note_id)))
    table.query(**owned_query(principal))
    client.get_item(TableName="notes", **owned_key(principal, sort=("note_id", note_id), typed=True))

``typed`` is for clients, which want ``{"S": …}``; a ``Table`` does not. What comes from a URL goes in as it is: a value
that could be read as two parts of a key is refused with ``UnsafeKey``, a ``NotFound``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeGuard

from keyturn.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

SEPARATOR: Final = "#"
MAX_PARTITION_BYTES: Final = 2048
MAX_SORT_BYTES: Final = 1024


Part = tuple[str, *tuple[str | int, ...]]
"""The name of a sort key, and what its value is made of: ``("note_id", id)``, ``("sk", "NOTE", id)``, ``("n", 7)``."""


class UnsafeKey(NotFound):
    """A part of a key is empty, too long, or holds a separator or a control character: nothing has such a key (404)."""

    code = "unsafe_key"


class Owner(Protocol):
    """Whoever owns: a ``Principal``, or anything else with a subject."""

    @property
    def subject(self) -> str:
        """The owner's id, as it stands in the partition key."""
        ...


def owned_key(
    owner: Owner,
    *,
    partition: str = "user_id",
    prefix: str | None = None,
    sort: Part | None = None,
    typed: bool = False,
) -> dict[str, Any]:
    """``Key=…`` for get_item, update_item and delete_item of an item of ``owner``, and for those of a transaction.

    ``partition`` is the name of the partition key, and ``sort`` the name and the value of the sort key, where the table
    has one. In a table of several kinds of items ``prefix="USER"`` makes ``USER#<subject>``, and
    ``sort=("sk", "NOTE", note_id)`` makes ``NOTE#<note_id>``.

    Raises:
        UnsafeKey: the subject or the value of the sort key cannot be a part of a key.
    """
    key: dict[str, str | int] = {partition: _partition(owner, prefix)}
    if sort is not None:
        key[sort[0]] = _sort_value(sort[1:])
    return {"Key": _typed(key) if typed else key}


def owned_query(
    owner: Owner,
    *,
    partition: str = "user_id",
    prefix: str | None = None,
    begins: Part | None = None,
    typed: bool = False,
) -> dict[str, Any]:
    """The condition of a query over what ``owner`` has; ``begins=("sk", "NOTE")`` narrows it to ``NOTE#…``.

    Add a limit or a filter: with a Table ``FilterExpression=Attr(…)``, which boto3 merges. The names and values of a
    filter in text go into the dicts that are answered (``update``) and must not take their place. Nothing that is
    added reaches beyond the partition. The separator after ``begins`` is added here, so that ``NOTE#1`` does not also
    find ``NOTE#10``.

    Raises:
        UnsafeKey: the subject or ``begins`` cannot be a part of a key.
    """
    names, values = {"#owner": partition}, {":owner": _partition(owner, prefix)}
    condition = "#owner = :owner"
    if begins is not None:
        names["#sort"], values[":begins"] = begins[0], _text(begins[1:], MAX_SORT_BYTES) + SEPARATOR
        condition = "#owner = :owner AND begins_with(#sort, :begins)"
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": _typed(values) if typed else values,
    }


def owned_item(
    owner: Owner,
    attributes: Mapping[str, Any],
    *,
    partition: str = "user_id",
    prefix: str | None = None,
    sort: Part | None = None,
    typed: bool = False,
) -> dict[str, Any]:
    """``Item=…`` and a condition for put_item of a new item of ``owner``: one that is there is not written over.

    ``attributes`` are in the style that ``typed`` names. Whatever they say of the key is replaced, so a body that was
    taken over whole cannot choose its owner.

    Raises:
        UnsafeKey: see ``owned_key``.
    """
    key = owned_key(owner, partition=partition, prefix=prefix, sort=sort, typed=typed)["Key"]
    return {
        "Item": {**attributes, **key},
        "ConditionExpression": "attribute_not_exists(#owner)",
        "ExpressionAttributeNames": {"#owner": partition},
    }


def _partition(owner: Owner, prefix: str | None) -> str:
    return _text((owner.subject,) if prefix is None else (prefix, owner.subject), MAX_PARTITION_BYTES)


def _sort_value(parts: tuple[str | int, ...]) -> str | int:
    # Not isinstance: True is an int.
    return parts[0] if len(parts) == 1 and type(parts[0]) is int else _text(parts, MAX_SORT_BYTES)


def _text(parts: tuple[str | int, ...], most_bytes: int) -> str:
    """``parts`` with separators between them and in none of them, so that they can be told apart again."""
    safe = [part for part in parts if _is_safe(part)]
    text = SEPARATOR.join(safe)
    if not parts or len(safe) != len(parts) or len(text.encode()) > most_bytes:
        raise UnsafeKey("a part of a key is empty, too long, or holds a separator or a control character")
    return text


def _is_safe(part: object) -> TypeGuard[str]:
    return isinstance(part, str) and part != "" and SEPARATOR not in part and part.isprintable()


def _typed(values: Mapping[str, str | int]) -> dict[str, Any]:
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in values.items()}
