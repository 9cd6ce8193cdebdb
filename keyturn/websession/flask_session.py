"""What ``flask.session`` is while a request runs. The extension is ``keyturn.websession.flask``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask.sessions import SessionMixin

from keyturn.websession import text, users
from keyturn.websession.model import is_due

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyturn.websession.flows import Sessions
    from keyturn.websession.model import Session


class WebSession(SessionMixin):
    """A mapping, read at its first use: a route that does not touch it costs no request to DynamoDB."""

    def __init__(self, sessions: Sessions, presented: str | None) -> None:
        self.sessions = sessions
        self._presented = presented
        self._opened: Session | None = None
        self._loaded: dict[str, Any] | None = None
        self._cleared = False
        self.ended = False
        """Whether this request ended it, so that the browser may forget its id."""

    @property
    def used(self) -> bool:
        """Whether this request has read it at all."""
        return self._loaded is not None

    @property
    def opened(self) -> Session | None:
        """The session as it was last read or written; None where there is none."""
        self._data()
        return None if self._cleared else self._opened

    @property
    def signed_in(self) -> str | None:
        """Who was signed in with ``sign_in``, or None. Nothing in the data makes it somebody."""
        subject = None if self.opened is None else self.opened.subject
        return None if isinstance(subject, users.NamedByData) else subject

    @property
    def subject(self) -> str | None:
        """Whose session it is: of whoever was signed in, and otherwise of whom the data names now."""
        return self.signed_in or users.subject_of(self._data(), self.sessions.user_keys)

    @property
    def modified(self) -> bool:  # type: ignore[override]
        """Whether it differs from what was read, also deep inside: there is no flag to forget."""
        data, opened = self._data(), self.opened
        return self._cleared or text.dumps(data) != ("{}" if opened is None else opened.json)

    def sign_in(self, subject: str, *, epoch: int | None = None) -> None:
        """A new id for ``subject``. What an anonymous visitor had is kept; what somebody else had is not."""
        data, before = self._data(), self._opened
        if before is None:
            self._take(self.sessions.start(data, subject=subject, epoch=epoch))
            return
        if not self._cleared and before.subject not in {None, subject}:
            data = {}
        self._take(self.sessions.rotate(before, data, subject=subject, proven=True, epoch=epoch))

    def sign_out(self) -> None:
        """Ends it in the table, then empties it. Raises SessionUnavailable: then nobody is signed out."""
        self._data()
        if self._opened is not None:
            self.sessions.end(self._opened.id)
        self._opened, self._loaded, self._cleared, self.ended = None, {}, False, True

    def clear(self) -> None:
        """Empties it. The old one ends with this request, and what is put in from now on gets an id of its own."""
        self._data()
        self._loaded, self._cleared = {}, True

    def write(self) -> str | None:
        """Writes what this request changed; answers the id that the browser has to keep, where it is another one."""
        data, before, subject = self._data(), self._opened, self.subject
        if before is None:
            if data:
                self._take(self.sessions.start(data, subject=subject))
        elif not data and subject is None:
            self.sign_out()
        elif self._cleared:
            # Nothing of the old one goes on, its life neither.
            self._take(self.sessions.rotate(before, data, subject=subject, proven=True))
        elif self.modified or self._is_due(before):
            self._take(self._written(before, data, subject))
        return None if self._opened is None or self._opened.id.cookie == self._presented else self._opened.id.cookie

    def _written(self, before: Session, data: dict[str, Any], subject: str | None) -> Session:
        """With a new id where it is another's now: whoever knows the old one must not become the user (CWE-384)."""
        keys, was = self.sessions.user_keys, before.data
        another = self.signed_in is None and users.is_another(was, data, keys)
        if subject == before.subject and not another:
            return self.sessions.save(before, data)
        proven = users.somebody_arrived(was, data, keys)
        return self.sessions.rotate(before, data, subject=subject, proven=proven)

    def _is_due(self, opened: Session) -> bool:
        idle_seconds = self.sessions.lifetimes.idle_seconds
        return is_due(opened, idle_seconds=idle_seconds, now_ms=self.sessions.now_ms())

    def _take(self, opened: Session) -> None:
        self._opened, self._loaded, self._cleared, self.ended = opened, opened.data, False, False

    def _data(self) -> dict[str, Any]:
        if self._loaded is None:
            self._opened = self.sessions.open(self._presented)
            self._loaded = {} if self._opened is None else self._opened.data
        return self._loaded

    def __getitem__(self, name: str) -> Any:
        return self._data()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._data()[name] = value

    def __delitem__(self, name: str) -> None:
        del self._data()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data())

    def __len__(self) -> int:
        return len(self._data())
