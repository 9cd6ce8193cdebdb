"""From a session to its record and back: what is sealed, and what the seal is bound to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from keyturn.websession.errors import SessionTooLarge
from keyturn.websession.model import Life, Session
from keyturn.websession.port import Record
from keyturn.websession.text import dumps
from keyturn.websession.users import NamedByData

if TYPE_CHECKING:
    from keyturn.websession.ids import Key, SessionId
    from keyturn.websession.seal import Keyring

_NAMED_BY_DATA: Final = "data"


def context_of(key: Key, life: Life) -> bytes:
    """What a payload is bound to: its place, so that it opens in no other, and the life that it was sealed with."""
    parts = ("keyturn-websession-1", key.pk, key.sk, life.created_ms, life.expires_ms, life.epoch)
    return "\n".join(map(str, parts)).encode()


def to_record(session: Session, *, keys: Keyring, nonce: bytes, max_bytes: int) -> Record:
    """The record of ``session``.

    Raises:
        SessionTooLarge: its sealed payload is larger than ``max_bytes``.
    """
    key = session.id.key
    origin = [_NAMED_BY_DATA] if isinstance(session.subject, NamedByData) else []
    plain = dumps([session.subject, session.json, *origin]).encode()
    payload = keys.seal(plain, context=context_of(key, session.life), nonce=nonce)
    if len(payload) > max_bytes:
        raise SessionTooLarge(f"the session's data takes {len(payload)} bytes, and the limit is {max_bytes}")
    return Record(
        key=key,
        payload=payload,
        version=session.version,
        created_ms=session.life.created_ms,
        epoch=session.life.epoch,
        idle_expires_ms=session.idle_expires_ms,
        expires_ms=session.life.expires_ms,
        ttl=session.idle_expires_ms // 1000 + 1,
    )


def from_record(record: Record, *, session_id: SessionId, keys: Keyring) -> Session | None:
    """The session of ``record``, or None where the record cannot be opened."""
    life = life_of(record)
    opened = opened_payload(record, keys=keys)
    if opened is None:
        return None
    subject, text = opened
    return Session(
        id=session_id,
        subject=subject,
        json=text,
        life=life,
        idle_expires_ms=record.idle_expires_ms,
        version=record.version,
    )


def opened_payload(record: Record, *, keys: Keyring) -> tuple[str | None, str] | None:
    """The subject and the data of ``record``, or None where the record cannot be opened."""
    plain = keys.open(record.payload, context=context_of(record.key, life_of(record)))
    if plain is None:
        return None
    subject, text, *origin = json.loads(plain)
    return NamedByData(subject) if origin == [_NAMED_BY_DATA] else subject, text


def life_of(record: Record) -> Life:
    """What was fixed when the session began; the seal proves it."""
    return Life(created_ms=record.created_ms, expires_ms=record.expires_ms, epoch=record.epoch)
