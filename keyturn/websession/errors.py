"""What can go wrong with a web session, on one page.

WebSessionError
├── SessionEnded          session_ended         over by sign-out, expiry or revocation while this request ran
├── SessionConflict       session_conflict      so many requests change it at once that this one was not written
├── SessionUnavailable    session_unavailable   DynamoDB did not answer as it should: nobody is signed in or out
├── SessionTooLarge       session_too_large     the programmer's: more data than the limit
└── SessionNotJson        session_not_json      the programmer's: data that JSON cannot hold

A session that is unknown, expired or unreadable when it is opened is no error: it is not there.
No message ever holds an id, a key or a value of the session.
"""

from __future__ import annotations

from keyturn.errors import GuardError


class WebSessionError(GuardError):
    """The root. ``code`` is stable; the message is a sentence for the log."""

    code = "web_session_error"


class SessionEnded(WebSessionError):
    """The session was ended while this request had it open: what the request wanted to write is not written."""

    code = "session_ended"


class SessionConflict(WebSessionError):
    """Other requests changed the session each time that this one tried to."""

    code = "session_conflict"


class SessionUnavailable(WebSessionError):
    """DynamoDB is away, throttles or refuses. Answer 503: neither a read nor a write may be taken for done."""

    code = "session_unavailable"


class SessionTooLarge(WebSessionError):
    """The data, once sealed, is larger than the limit. Keep objects in tables and their ids in the session."""

    code = "session_too_large"


class SessionNotJson(WebSessionError):
    """The data holds something else than what JSON can: it is never pickled."""

    code = "session_not_json"
