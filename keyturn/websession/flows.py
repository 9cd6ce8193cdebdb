"""What can be done with one web session. Flask's and Django's adapters stand on this page alone."""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from keyturn.websession.errors import SessionConflict, SessionEnded
from keyturn.websession.ids import SessionId, marker_key
from keyturn.websession.model import DEFAULT_LIFETIMES, Life, Lifetimes, Session, is_live
from keyturn.websession.port import Exchanged
from keyturn.websession.records import from_record, to_record
from keyturn.websession.seal import NONCE_BYTES
from keyturn.websession.text import dumps, merged
from keyturn.websession.users import USER_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from keyturn.websession.port import Record, SessionTable
    from keyturn.websession.seal import Keyring

DEFAULT_MAX_BYTES: Final = 16 * 1024
_MOST_TRIES: Final = 10

_log: Final = logging.getLogger("keyturn.websession")


def system_now_ms() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """The sessions of a site. ``max_bytes`` bounds a sealed payload; time and chance can be handed in.

    ``user_keys`` are the names under which the site's own code keeps the user in the data (``users``), if it does.

    Every method raises SessionUnavailable where DynamoDB does not answer: then nothing counts as read or written.
    """

    table: SessionTable
    keys: Keyring
    lifetimes: Lifetimes = DEFAULT_LIFETIMES
    max_bytes: int = DEFAULT_MAX_BYTES
    user_keys: Sequence[str] = USER_KEYS
    now_ms: Callable[[], int] = field(default=system_now_ms, repr=False)
    random: Callable[[int], bytes] = field(default=secrets.token_bytes, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.user_keys, str):
            raise ValueError("user_keys are several names: a list of them, also where it is one")  # noqa: TRY004

    def open(self, cookie: str | None) -> Session | None:
        """The session whose id the browser sent; None where it is unknown, expired, ended or cannot be opened.

        What is not the form of an id is answered without a request to DynamoDB.
        """
        session_id = SessionId.parse(cookie)
        record = None if session_id is None else self.table.get(session_id.key)
        return None if session_id is None or record is None else self._live(record, session_id)

    def start(
        self,
        data: Mapping[str, object],
        *,
        subject: str | None = None,
        epoch: int | None = None,
        idle_seconds: int | None = None,
    ) -> Session:
        """A new session under a new id, for ``subject`` or nobody.

        ``epoch`` is what ``people.epoch`` answered before the password was looked at: whoever ends all sessions of the
        user from then on ends this one too. Without it, from now on. ``idle_seconds`` shortens the idle life.

        Raises:
            SessionEnded: all sessions of the user were ended meanwhile.
            SessionNotJson, SessionTooLarge: ``data`` cannot be kept.
        """
        text = dumps(dict(data))
        if epoch is None:
            epoch = self._epoch_of(subject)
        now_ms = self.now_ms()
        life = Life(created_ms=now_ms, expires_ms=now_ms + self.lifetimes.absolute_seconds * 1000, epoch=epoch)
        for _ in range(_MOST_TRIES):
            session = self._fresh(text, subject=subject, life=life, now_ms=self.now_ms(), idle_seconds=idle_seconds)
            # Refused is no collision in 2^256, but the client's own retry of a write whose answer was lost.
            if self.table.create(self._record(session)):
                self._check_epoch(session)
                return session
        raise SessionConflict("no fresh id was free")

    def save(self, session: Session, data: Mapping[str, object], *, idle_seconds: int | None = None) -> Session:
        """``session`` with ``data``, and its idle life begun again.

        Where another request wrote meanwhile, the changes of both are kept (``text.merged``).

        Raises:
            SessionEnded: it was ended or has expired; it stays so.
            SessionConflict: others wrote at each of ten tries.
            SessionNotJson, SessionTooLarge: ``data`` cannot be kept; the session is as before.
        """
        current, wanted = session, dict(data)
        for _ in range(_MOST_TRIES):
            now_ms = self.now_ms()
            mine = replace(
                current,
                json=dumps(wanted),
                idle_expires_ms=self._idle_end(now_ms, current.life, idle_seconds),
                version=current.version + 1,
            )
            outcome = self.table.replace(self._record(mine), version=current.version, now_ms=now_ms)
            if outcome.done:
                return mine
            found = outcome.found and self._live(outcome.found, session.id)
            if not found:
                raise SessionEnded("the session was ended or has expired")
            current, wanted = found, merged(base=session.json, mine=data, theirs=found.json)
        raise SessionConflict("other requests change the session all the time")

    def rotate(
        self,
        session: Session,
        data: Mapping[str, object],
        *,
        subject: str | None,
        proven: bool,
        epoch: int | None = None,
        idle_seconds: int | None = None,
    ) -> Session:
        """A session under a new id in place of ``session``, which ends: the answer to fixation (CWE-384).

        ``proven`` says that the user has just given proof: the life begins anew, as at any sign-in. Otherwise the
        absolute life goes on, whoever ``subject`` is, and a session that was ended or has expired is not brought back
        under another id.

        Raises:
            SessionEnded: see above; nothing is written then, or it has ended again.
            SessionConflict: no fresh id was free.
            SessionNotJson, SessionTooLarge: ``data`` cannot be kept; ``session`` is as before.
        """
        if not proven:
            return self._exchange(session, dumps(dict(data)), subject=subject, epoch=epoch, idle_seconds=idle_seconds)
        successor = self.start(data, subject=subject, epoch=epoch, idle_seconds=idle_seconds)
        # The new one first: nobody knows its id before this method has returned, so whatever fails leaves no door open.
        self.table.delete(session.id.key)
        return successor

    def end(self, session_id: SessionId) -> None:
        """Ends a session; one that is over already stays so. It has ended only when this has returned."""
        self.table.delete(session_id.key)

    def _exchange(
        self, session: Session, text: str, *, subject: str | None, epoch: int | None, idle_seconds: int | None
    ) -> Session:
        """``rotate`` without proof. That the old one is alive is the condition of the one write that ends it."""
        life = session.life
        if subject != session.subject:
            life = replace(life, epoch=self._epoch_of(subject) if epoch is None else epoch)
        for _ in range(_MOST_TRIES):
            now_ms = self.now_ms()
            successor = self._fresh(text, subject=subject, life=life, now_ms=now_ms, idle_seconds=idle_seconds)
            outcome = self.table.exchange(session.id.key, self._record(successor), now_ms=now_ms)
            if outcome is Exchanged.OLD_IS_OVER:
                raise SessionEnded("the session was ended or has expired before it was given a new id")
            if outcome is Exchanged.DONE:
                self._check_epoch(successor)
                return successor
        raise SessionConflict("no fresh id was free")

    def _epoch_of(self, subject: str | None) -> int:
        return 0 if subject is None else self.table.epoch(marker_key(subject))

    def _fresh(self, text: str, *, subject: str | None, life: Life, now_ms: int, idle_seconds: int | None) -> Session:
        return Session(
            id=SessionId.new(subject=subject, random=self.random),
            subject=subject,
            json=text,
            life=life,
            idle_expires_ms=self._idle_end(now_ms, life, idle_seconds),
            version=1,
        )

    def _check_epoch(self, session: Session) -> None:
        """Whoever ends all sessions of a user counts up first, then looks for what to end.

        So either they find the session just written, or the count is found here. Its id is known to nobody yet.
        """
        if session.subject is None or self.table.epoch(marker_key(session.subject)) == session.life.epoch:
            return
        self.table.delete(session.id.key)
        raise SessionEnded("all sessions of the user were ended meanwhile")

    def _idle_end(self, now_ms: int, life: Life, idle_seconds: int | None) -> int:
        longest = self.lifetimes.idle_seconds
        seconds = longest if idle_seconds is None else min(longest, idle_seconds)
        return min(now_ms + seconds * 1000, life.expires_ms)

    def _record(self, session: Session) -> Record:
        return to_record(session, keys=self.keys, nonce=self.random(NONCE_BYTES), max_bytes=self.max_bytes)

    def _live(self, record: Record, session_id: SessionId) -> Session | None:
        now_ms = self.now_ms()
        if not is_live(idle_expires_ms=record.idle_expires_ms, expires_ms=record.expires_ms, now_ms=now_ms):
            return None
        session = from_record(record, session_id=session_id, keys=self.keys)
        if session is None:
            _log.warning("a web session cannot be opened: it was changed, moved, or its key is gone")
        return session
