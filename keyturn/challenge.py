"""What the sender of a request sees of an error: status, headers, body. One page for all frameworks."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeGuard

from keyturn.errors import GuardError, InsufficientScope, NoToken, StepUpRequired, TokenError, Unavailable
from keyturn.requirements import is_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:keyturn:problem:"
REALM: Final = "keyturn"
"""The protection space that every challenge names: on one origin, all that access tokens open (RFC 9110 11.5).

A word of ours and not the audience or the issuer: an error alone makes the same challenge wherever it is answered, and
an address that somebody configured need not be fit for a quoted string.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer that refuses: hand ``status`` and ``headers`` on unchanged; ``problem`` is a body for it."""

    status: int
    code: str
    title: str
    headers: Mapping[str, str]

    @property
    def problem(self) -> dict[str, object]:
        """The members of a problem document (RFC 9457), of the media type that ``headers`` names."""
        return {"type": TYPE_PREFIX + self.code, "title": self.title, "status": self.status, "code": self.code}


def answer_to(error: GuardError) -> Answer:
    """The answer for ``error``, with nothing in it that the log alone may know.

    A 401 and a 403 carry ``WWW-Authenticate`` (RFC 6750 section 3, RFC 9470 section 3), a 503 ``Retry-After``.
    """
    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
    if (challenge := challenge_for(error)) is not None:
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_seconds)
    return Answer(status=error.status, code=error.public_code, title=error.title, headers=MappingProxyType(headers))


def refusal_to(error: GuardError) -> Answer:
    """``answer_to``, for adapters: of an error that is no refusal the framework must hear, or nobody would log it.

    Raises:
        GuardError: ``error`` itself, where it says that the service is at fault.
    """
    if not is_refusal(error):
        raise error
    return answer_to(error)


def is_refusal(error: Exception) -> TypeGuard[GuardError]:
    """Whether ``error`` is about the request, or about what cannot be known just now, and not the service's fault."""
    return isinstance(error, GuardError) and error.status != GuardError.status


def challenge_for(error: GuardError) -> str | None:
    """The value of ``WWW-Authenticate``, or None where none is due."""
    match error:
        case NoToken():
            return bearer_challenge()
        case TokenError():
            return bearer_challenge("invalid_token")
        case InsufficientScope():
            return bearer_challenge("insufficient_scope", scope=_list(error.scopes))
        case StepUpRequired():
            max_age = "" if error.max_age_seconds is None else str(error.max_age_seconds)
            return bearer_challenge(
                "insufficient_user_authentication", acr_values=_list(error.acr_values), max_age=max_age
            )
        case _:
            return None


def bearer_challenge(error: str = "", **parameters: str) -> str:
    """The challenge with these parameters, without the empty ones; quoted as they are, so let nothing strange in.

    The realm is always there: RFC 6750 section 3 has at least one parameter follow the scheme.
    """
    pairs = {"realm": REALM, "error": error, **parameters}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in pairs.items() if value)


def _list(names: Iterable[str]) -> str:
    # Requirements let no quote, backslash or line break in; an endpoint that raises the error itself might.
    return " ".join(name for name in names if is_name(name))
