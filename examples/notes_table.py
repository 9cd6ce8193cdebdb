"""The notes of the three example services, in DynamoDB. The caller's id is a part of each key."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any

import boto3

from keyturn.dynamodb import owned_item, owned_key, owned_query

if TYPE_CHECKING:
    from keyturn import Principal

MOST_NOTES = 50
MOST_CHARACTERS = 2000


class NotesTable:
    """One item a note: partition key ``user_id``, sort key ``note_id``. Region and endpoint are AWS's variables."""

    def __init__(self, name: str) -> None:
        self._table = boto3.resource("dynamodb", region_name=os.environ.get("AWS_REGION")).Table(name)

    def add(self, owner: Principal, text: str) -> dict[str, Any]:
        """A new note. The server makes its id; nothing of the request is part of a key."""
        note_id = str(uuid.uuid4())
        self._table.put_item(**owned_item(owner, {"text": text[:MOST_CHARACTERS]}, sort=("note_id", note_id)))
        return {"note_id": note_id, "text": text[:MOST_CHARACTERS]}

    def of(self, owner: Principal) -> list[dict[str, Any]]:
        """The first notes of ``owner``, and nobody else's."""
        found = self._table.query(**owned_query(owner), ConsistentRead=True, Limit=MOST_NOTES)
        return [_shown(item) for item in found["Items"]]

    def get(self, owner: Principal, note_id: str) -> dict[str, Any] | None:
        """One note of ``owner``; None for another's, which this key cannot name. Raises NotFound for no sort key."""
        found = self._table.get_item(**owned_key(owner, sort=("note_id", note_id)), ConsistentRead=True)
        return _shown(found["Item"]) if "Item" in found else None

    def remove(self, owner: Principal, note_id: str) -> bool:
        """Whether there was such a note of ``owner``; it is not there any more. Raises NotFound for no sort key."""
        gone = self._table.delete_item(**owned_key(owner, sort=("note_id", note_id)), ReturnValues="ALL_OLD")
        return "Attributes" in gone


def text_of(body: object) -> str | None:
    """The text of a new note as a body of JSON says it, or None where it does not say one that can be kept."""
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str) or not 0 < len(text) <= MOST_CHARACTERS:
        return None
    # Half of a surrogate pair is JSON and no Unicode text; DynamoDB could not store it.
    return text if all(not "\ud800" <= character <= "\udfff" for character in text) else None


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    return {"note_id": item["note_id"], "text": item["text"]}
