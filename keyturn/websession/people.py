"""All web sessions of one user: what a page "where you are signed in" needs, and "sign out everywhere"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keyturn import base64url
from keyturn.websession.ids import SESSION_PREFIX, Key, marker_key, partition_of
from keyturn.websession.model import is_live
from keyturn.websession.records import opened_payload
from keyturn.websession.text import loads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyturn.websession.flows import Sessions
    from keyturn.websession.model import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A live session in a list. ``handle`` names it to ``end_one``; nobody can use the session with it."""

    handle: str
    created_ms: int
    idle_expires_ms: int
    expires_ms: int
    data: Mapping[str, object] = field(repr=False)


def handle_of(session: Session) -> str:
    """The handle of a session, to mark "this one" in a list."""
    return session.id.key.sk.removeprefix(SESSION_PREFIX)


def epoch(sessions: Sessions, subject: str) -> int:
    """How often all sessions of ``subject`` were ended. Read it before you look at a password (``Sessions.start``)."""
    return sessions.table.epoch(marker_key(subject))


def list_all(sessions: Sessions, subject: str) -> tuple[Listed, ...]:
    """The live sessions of ``subject``: one consistent query, no index. Data that cannot be opened is left out."""
    now_ms = sessions.now_ms()
    listed = []
    for record in sessions.table.of_partition(base64url.encode(partition_of(subject))):
        opened = opened_payload(record, keys=sessions.keys)
        if opened and is_live(idle_expires_ms=record.idle_expires_ms, expires_ms=record.expires_ms, now_ms=now_ms):
            listed.append(
                Listed(
                    handle=record.key.sk.removeprefix(SESSION_PREFIX),
                    created_ms=record.created_ms,
                    idle_expires_ms=record.idle_expires_ms,
                    expires_ms=record.expires_ms,
                    data=loads(opened[1]),
                )
            )
    return tuple(listed)


def end_one(sessions: Sessions, subject: str, handle: str) -> bool:
    """Ends one session of ``subject``; False where they have none of that ``handle``. Another's cannot be reached."""
    return sessions.table.delete(Key(base64url.encode(partition_of(subject)), SESSION_PREFIX + handle))


def end_all(sessions: Sessions, subject: str) -> int:
    """Ends every session of ``subject`` and answers how many; to keep the one at hand, begin it anew afterwards.

    The count is raised first: a session that begins meanwhile is either found by the query or finds the new count
    (``Sessions._check_epoch``). When this raises, some may be left: call it again.
    """
    sessions.table.raise_epoch(marker_key(subject))
    partition = base64url.encode(partition_of(subject))
    return sum(sessions.table.delete(record.key) for record in sessions.table.of_partition(partition))
