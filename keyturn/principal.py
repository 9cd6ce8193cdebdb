"""Who is calling, as the guard sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """The caller that a verified access token vouches for. Times are seconds since the Unix epoch.

    ``session_id``, ``auth_time``, ``amr`` and ``acr`` are empty where no user signed in (a service calling for itself).
    ``claims`` is the whole payload, read-only; two principals are equal when everything else is.
    """

    subject: str
    session_id: str | None
    client_id: str = field(repr=False)
    scopes: frozenset[str] = field(repr=False)
    auth_time: int | None = field(repr=False)
    issued_at: int = field(repr=False)
    expires_at: int = field(repr=False)
    amr: tuple[str, ...] = field(repr=False)
    acr: str | None = field(repr=False)
    token_id: str = field(repr=False)
    claims: Mapping[str, object] = field(repr=False, compare=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> NoReturn:
        # FastAPI would read a parameter that has lost its guard from the body, and believe whoever wrote it.
        raise TypeError("a Principal comes from a guard, never from a request: Annotated[Principal, guard.signed_in]")

    def has_scope(self, scope: str) -> bool:
        """Whether the token was issued with ``scope``."""
        return scope in self.scopes

    def authenticated_within(self, *, max_age_seconds: int, now_ms: int) -> bool:
        """Whether the user gave proof at most ``max_age_seconds`` before ``now_ms`` (RFC 9470 section 6.2)."""
        return self.auth_time is not None and now_ms <= (self.auth_time + max_age_seconds) * 1000
