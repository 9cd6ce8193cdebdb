"""Every error that the service answers with, on one page.

KeyturnError
├── BadRequest 400            invalid_request · invalid_token (a mailed token or code)
├── InvalidCredentials 401    one answer for unknown, wrong, disabled, locked and unverified
├── InvalidGrant 401          a refresh token that does not work, whatever the reason
├── Unauthenticated 401       no access token, or one that is not valid (RFC 6750)
├── StepUpRequired 401        signed in too long ago (RFC 9470)
├── InsufficientScope 403     (RFC 6750)
├── CrossSite 403             a cookie-carried write that another site may have sent
├── NotFound 404              not there, or not yours: the same answer
├── Conflict 409              a name is taken, where the settings let us say so
├── PayloadTooLarge 413 · UnsupportedMediaType 415
├── Invalid 422               fields that were refused, each with its reason
├── TooManyRequests 429       with Retry-After
└── Unavailable 503           the store or the hashing queue is full or away; with Retry-After

What the client sees is ``code``, ``title`` and ``status``; ``detail_for_log`` never leaves the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from keyturn.challenge import bearer_challenge


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One field that was refused: where, a stable code, and a sentence for a person."""

    field: str
    code: str
    message: str


class KeyturnError(Exception):
    """The root. ``code`` is stable and public; ``detail_for_log`` says more, to the log only."""

    status: ClassVar[int] = 500
    code: str = "internal_error"
    title: str = "Something went wrong on our side."

    def __init__(self, detail_for_log: str = "", *, code: str | None = None, title: str | None = None) -> None:
        super().__init__(detail_for_log or self.code)
        self.detail_for_log = detail_for_log
        if code is not None:
            self.code = code
        if title is not None:
            self.title = title

    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer."""
        return {}


class BadRequest(KeyturnError):
    """The request cannot be understood, or carries a mailed token or code that does not work."""

    status = 400
    code = "invalid_request"
    title = "The request could not be understood."


class InvalidCredentials(KeyturnError):
    """The identifier and the password do not open an account."""

    status = 401
    code = "invalid_credentials"
    title = "The identifier or the password is not right."


class InvalidGrant(KeyturnError):
    """The refresh token does not work."""

    status = 401
    code = "invalid_grant"
    title = "The refresh token is not valid. Sign in again."


class Unauthenticated(KeyturnError):
    """No access token, or one that is not valid; ``presented`` tells which (RFC 6750 section 3.1)."""

    status = 401
    code = "invalid_token"
    title = "A valid access token is needed."

    def __init__(self, detail_for_log: str = "", *, presented: bool) -> None:
        super().__init__(detail_for_log, code="invalid_token" if presented else "missing_token")
        self.presented = presented

    def headers(self) -> dict[str, str]:
        """The challenge; without an error where no token was presented."""
        return {"WWW-Authenticate": bearer_challenge("invalid_token" if self.presented else "")}


class StepUpRequired(KeyturnError):
    """The caller signed in longer than ``max_age_seconds`` ago (RFC 9470)."""

    status = 401
    code = "insufficient_user_authentication"
    title = "Sign in again to do this."

    def __init__(self, *, max_age_seconds: int) -> None:
        super().__init__()
        self.max_age_seconds = max_age_seconds

    def headers(self) -> dict[str, str]:
        """The challenge of RFC 9470 section 3."""
        return {"WWW-Authenticate": bearer_challenge(self.code, max_age=str(self.max_age_seconds))}


class InsufficientScope(KeyturnError):
    """The access token lacks ``scope``."""

    status = 403
    code = "insufficient_scope"
    title = "The access token does not allow this."

    def __init__(self, *, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def headers(self) -> dict[str, str]:
        """The challenge of RFC 6750 section 3."""
        return {"WWW-Authenticate": bearer_challenge("insufficient_scope", scope=self.scope)}


class CrossSite(KeyturnError):
    """A write carried by a cookie that did not prove its origin."""

    status = 403
    code = "cross_site_request"
    title = "This request did not come from an allowed site."


class NotFound(KeyturnError):
    """Not there, or not the caller's."""

    status = 404
    code = "not_found"
    title = "There is nothing here."


class Conflict(KeyturnError):
    """A name is taken."""

    status = 409
    code = "taken"
    title = "That name is taken."


class PayloadTooLarge(KeyturnError):
    """The body is larger than the limit."""

    status = 413
    code = "payload_too_large"
    title = "The request body is too large."


class UnsupportedMediaType(KeyturnError):
    """The body is not JSON."""

    status = 415
    code = "unsupported_media_type"
    title = "Send the body as application/json."


class Invalid(KeyturnError):
    """Fields that were refused, each with its reason."""

    status = 422
    code = "invalid_fields"
    title = "Some fields are not valid."

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(", ".join(f"{error.field}:{error.code}" for error in errors))
        self.errors = errors


class TooManyRequests(KeyturnError):
    """A limit was reached; ``retry_after_seconds`` says when to come back."""

    status = 429
    code = "too_many_requests"
    title = "Too many attempts. Try again later."

    def __init__(self, detail_for_log: str = "", *, retry_after_seconds: int) -> None:
        super().__init__(detail_for_log)
        self.retry_after_seconds = retry_after_seconds

    def headers(self) -> dict[str, str]:
        """RFC 9110 section 10.2.3."""
        return {"Retry-After": str(self.retry_after_seconds)}


class Unavailable(KeyturnError):
    """The store is away or throttled, or the hashing queue is full."""

    status = 503
    code = "unavailable"
    title = "The service is not available at the moment. Try again shortly."

    def __init__(self, detail_for_log: str = "", *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail_for_log)
        self.retry_after_seconds = retry_after_seconds

    def headers(self) -> dict[str, str]:
        """RFC 9110 section 10.2.3."""
        return {"Retry-After": str(self.retry_after_seconds)}
