"""Flask: ``WebSessions(sessions).init_app(app)``, then ``sign_in`` and ``sign_out`` in the views.

``flask.session`` is used as ever. Where DynamoDB does not answer, the answer is 503, and nobody is signed in or out.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from flask import Response
from flask import session as current_session
from flask.sessions import SessionInterface, SessionMixin

from keyturn.websession import people
from keyturn.websession.cookie import RETRY_AFTER_SECONDS, Cookie
from keyturn.websession.errors import SessionConflict, SessionEnded, SessionUnavailable
from keyturn.websession.flask_session import WebSession

if TYPE_CHECKING:
    from flask import Flask, Request

    from keyturn.websession.flows import Sessions

_log: Final = logging.getLogger("keyturn.websession")


class WebSessions(SessionInterface):
    """The extension: keeps ``flask.session`` in DynamoDB. Flask's own ``SESSION_COOKIE_…`` settings are not read."""

    def __init__(self, sessions: Sessions, *, cookie: Cookie | None = None) -> None:
        self.sessions = sessions
        self.cookie = cookie or Cookie()

    def init_app(self, app: Flask) -> None:
        """Makes ``app`` use it: 503 where DynamoDB does not answer, 400 for a sign-in that the end of all overtook."""
        app.session_interface = self
        app.extensions["keyturn-websession"] = self
        for error in (SessionUnavailable, SessionConflict):
            app.register_error_handler(error, _unavailable)
        app.register_error_handler(SessionEnded, _over)

    def open_session(self, _app: Flask, request: Request) -> WebSession:
        """The session of this request; nothing is read yet. Two cookies of the name are none: one is not ours."""
        presented = request.cookies.getlist(self.cookie.sent_name)
        return WebSession(self.sessions, presented[0] if len(presented) == 1 else None)

    def save_session(self, _app: Flask, session: SessionMixin, response: Response) -> None:
        """Writes what changed and sets the cookie where the id is new."""
        if session.accessed:
            response.vary.add("Cookie")
        if not isinstance(session, WebSession) or not session.used:
            return
        try:
            new_id = session.write()
        except SessionEnded:
            # Not the cookie either: by now the browser may keep the id of another sign-in.
            _log.info("a web session was ended while a request ran; what that request changed is dropped")
            return
        except (SessionUnavailable, SessionConflict) as error:
            _become(response, _unavailable(error))
            return
        self._set_cookie(response, session, new_id)

    def _set_cookie(self, response: Response, session: WebSession, new_id: str | None) -> None:
        if new_id is None and not session.ended:
            return
        lasting = self.sessions.lifetimes.absolute_seconds if session.permanent else None
        response.set_cookie(
            self.cookie.sent_name,
            new_id or "",
            max_age=0 if new_id is None else lasting,
            secure=not self.cookie.unsafe_http,
            httponly=True,
            samesite=self.cookie.same_site,
        )
        response.vary.add("Cookie")
        response.cache_control.no_store = True


def sign_in(subject: str, *, epoch: int | None = None) -> None:
    """Signs ``subject`` in, after you have looked at their proof: a new id, and the old one is worth nothing (CWE-384).

    ``epoch`` is that of ``people.epoch`` from before you looked, where "sign out everywhere" must also end sign-ins
    that are under way. Raises what ``Sessions.rotate`` raises; SessionEnded is answered 400.
    """
    _current().sign_in(subject, epoch=epoch)


def sign_out() -> None:
    """Ends the session in the table before the answer is sent. Raises SessionUnavailable, answered 503."""
    _current().sign_out()


def sign_out_everywhere() -> int:
    """Ends every session of whoever is signed in, this one too, and answers how many."""
    session = _current()
    count = 0 if session.subject is None else people.end_all(session.sessions, session.subject)
    session.sign_out()
    return count


def signed_in() -> str | None:
    """Who was signed in with ``sign_in``, or None; a user whom the site keeps in the data is not looked at."""
    return _current().signed_in


def _current() -> WebSession:
    if not isinstance(current_session, WebSession):
        raise TypeError("this application does not use WebSessions: call init_app")
    return current_session


def _unavailable(_: Exception) -> Response:
    return Response(
        "The service is not available for a moment.\n",
        status=503,
        mimetype="text/plain",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS), "Cache-Control": "no-store"},
    )


def _over(_: Exception) -> Response:
    return Response(
        "The session has ended: sign in again.\n", 400, {"Cache-Control": "no-store"}, mimetype="text/plain"
    )


def _become(response: Response, other: Response) -> None:
    response.direct_passthrough = False
    response.status_code = other.status_code
    response.headers = other.headers
    response.set_data(other.get_data())
