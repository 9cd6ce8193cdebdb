"""Django: ``SESSION_ENGINE = "keyturn.websession.django"``, and its ``SessionMiddleware`` in place of Django's.

``request.session``, ``login`` and ``logout`` are used as ever. What Django calls the session key is the id that the
browser keeps: it is stored nowhere. Configured by ``KEYTURN_WEBSESSION`` (``keyturn.websession.django_settings``).
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse

from keyturn.websession import model, users
from keyturn.websession.cookie import RETRY_AFTER_SECONDS
from keyturn.websession.django_settings import cookie_name, site_sessions
from keyturn.websession.errors import SessionConflict, SessionEnded, SessionUnavailable
from keyturn.websession.ids import SessionId

_AWAY: Final = (SessionUnavailable, SessionConflict)


class SessionStore(SessionBase):
    """One request's session. Whenever its user changes, and at each sign-in, it gets a new id when it is saved."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._opened: model.Session | None = None
        self._rotating = self._proven = False

    def _validate_session_key(self, key: str | None) -> bool:
        return SessionId.parse(key) is not None

    def load(self) -> dict[str, Any]:
        """The data; empty, and without a key, where the session is not there."""
        self._opened = site_sessions().open(self.session_key)
        if self._opened is None:
            self._session_key = None
            return {}
        return self._opened.data

    def exists(self, session_key: str) -> bool:
        """Whether a live session has this id."""
        return site_sessions().open(session_key) is not None

    def create(self) -> None:
        """A new session with the data at hand, written at once."""
        self._session_key = self._opened = None
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  Django's signature
        """Writes the data. Raises UpdateError where it was ended meanwhile: it stays so, and Django says 400."""
        data = dict(self.items())
        opened = self._to_change(must_create=must_create)
        try:
            self._opened = self._written(opened, data)
        except SessionEnded as error:
            raise UpdateError from error
        self._session_key, self._session_cache = self._opened.id.cookie, self._opened.data
        self._rotating = self._proven = False

    def delete(self, session_key: str | None = None) -> None:
        """Ends the session in the table; when this has returned, it is over."""
        if session_id := SessionId.parse(session_key or self.session_key):
            site_sessions().end(session_id)

    def flush(self) -> None:
        """Ends it, and begins with nothing. What is put in afterwards gets a new id."""
        super().flush()
        self._forget()

    async def aflush(self) -> None:
        """See flush()."""
        await super().aflush()
        self._forget()

    def cycle_key(self) -> None:
        """A new id for the same data, when it is saved; where the request fails, the old one stands as it was."""
        self._rotating = self.modified = True

    async def acycle_key(self) -> None:
        """See cycle_key()."""
        self._rotating = self.modified = True

    def renew(self) -> None:
        """``cycle_key`` after proof was given: the absolute life begins anew."""
        self.cycle_key()
        self._proven = True

    @property
    def is_due(self) -> bool:
        """Whether it was read, and its idle life should be written anew."""
        if self._opened is None:
            return False
        idle_seconds = min(site_sessions().lifetimes.idle_seconds, self.get_expiry_age())
        return model.is_due(self._opened, idle_seconds=idle_seconds, now_ms=site_sessions().now_ms())

    @classmethod
    def clear_expired(cls) -> None:
        """Nothing: the table's TTL collects what has expired."""

    def _forget(self) -> None:
        self._opened = None
        self._rotating = self._proven = False

    def _to_change(self, *, must_create: bool) -> model.Session | None:
        """The session to write over; None for a new one."""
        if must_create or (self._opened is None and self.session_key is None):
            return None
        opened = self._opened or site_sessions().open(self.session_key)
        if opened is None:
            raise UpdateError
        return opened

    def _written(self, opened: model.Session | None, data: dict[str, Any]) -> model.Session:
        sessions, idle_seconds = site_sessions(), self.get_expiry_age()
        keys = (SESSION_KEY, *sessions.user_keys)
        subject = users.subject_of(data, keys)
        if opened is None:
            return sessions.start(data, subject=subject, idle_seconds=idle_seconds)
        another = subject != opened.subject or users.is_another(opened.data, data, keys)
        if self._rotating or another:
            proven = self._proven or users.somebody_arrived(opened.data, data, keys)
            return sessions.rotate(opened, data, subject=subject, proven=proven, idle_seconds=idle_seconds)
        return sessions.save(opened, data, idle_seconds=idle_seconds)


class SessionMiddleware(DjangoSessionMiddleware):
    """Django's, which also refuses two cookies of the name, keeps a session alive that is used, and answers 503.

    A setting that is missing or unsafe stops the site when it starts: ImproperlyConfigured.
    """

    def __init__(self, get_response: Any) -> None:
        site_sessions()
        super().__init__(get_response)

    def process_request(self, request: HttpRequest) -> None:
        """Nothing is read yet. Two session cookies are none, since one of them is not ours."""
        super().process_request(request)
        names = [pair.partition("=")[0].strip() for pair in request.META.get("HTTP_COOKIE", "").split(";")]
        if names.count(cookie_name()) > 1:
            request.session = self.SessionStore(None)

    def process_exception(self, _: HttpRequest, exception: Exception) -> HttpResponse | None:
        """503 where DynamoDB does not answer. Raised in a middleware instead of a view, Django makes it a 500."""
        return _unavailable() if isinstance(exception, _AWAY) else None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Writes what changed and sets the cookie."""
        try:
            if isinstance(request.session, SessionStore) and request.session.is_due:
                request.session.modified = True
            response = super().process_response(request, response)
        except _AWAY:
            return _unavailable()
        if cookie_name() in response.cookies:
            response["Cache-Control"] = "no-store"
        return response


def _unavailable() -> HttpResponse:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS), "Cache-Control": "no-store"}
    text = "The service is not available for a moment.\n"
    return HttpResponse(text, status=503, content_type="text/plain", headers=headers)


def _renew_at_sign_in(request: HttpRequest, **_: Any) -> None:
    """Django gives a new id when an anonymous visitor signs in; here whoever signs in again gets one as well."""
    if isinstance(request.session, SessionStore):
        request.session.renew()


user_logged_in.connect(_renew_at_sign_in, dispatch_uid="keyturn.websession")
