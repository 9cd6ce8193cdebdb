"""What the sender of a request sees of an error: status, headers, body. One page for all frameworks."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from keyturn.errors import InsufficientScope, NoToken, StepUpRequired, TokenError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyturn.errors import GuardError

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:keyturn:problem:"


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


def challenge_for(error: GuardError) -> str | None:
    """The value of ``WWW-Authenticate``, or None where none is due."""
    match error:
        case NoToken():
            return "Bearer"
        case TokenError():
            return _challenge("invalid_token")
        case InsufficientScope():
            return _challenge("insufficient_scope", scope=" ".join(error.scopes))
        case StepUpRequired():
            max_age = "" if error.max_age_seconds is None else str(error.max_age_seconds)
            return _challenge(
                "insufficient_user_authentication", acr_values=" ".join(error.acr_values), max_age=max_age
            )
        case _:
            return None


def _challenge(code: str, **parameters: str) -> str:
    # Scopes and acr values have no quote and no backslash: ``keyturn.requirements`` lets none in.
    pairs = [("error", code), *((name, value) for name, value in parameters.items() if value)]
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in pairs)
