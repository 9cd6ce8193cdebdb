"""What a client gets: an access token beside the refresh token of its session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.kernel.ids import id_text
from service.kernel.secret import Secret
from service.tokens.access_token import AccessTokens, Grant

if TYPE_CHECKING:
    from service.sessions.model import Session
    from service.sessions.refresh_token import RefreshKeys, RefreshToken


@dataclass(frozen=True, kw_only=True)
class IssuedTokens:
    """The tokens of one answer; lives in seconds."""

    access_token: Secret[str]
    expires_in_seconds: int
    refresh_token: Secret[str]
    refresh_expires_in_seconds: int
    scope: str
    session_id: str


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Puts the two tokens of a session together. Raises Unavailable when no key can sign."""

    access_tokens: AccessTokens
    refresh_keys: RefreshKeys

    async def issue(
        self, session: Session, refresh_token: RefreshToken, *, user_scope: str, now_ms: int
    ) -> IssuedTokens:
        """Tokens for ``session``; its scope shrinks when the user's has, and never grows.

        ``now_ms`` is from before the session was found alive: the access token's life begins then.
        """
        scope = shared_scope(session.facts.scope, user_scope)
        access_token = await self.access_tokens.issue(
            Grant(
                subject=id_text(session.user_id),
                session_id=id_text(session.session_id),
                client_id=session.facts.client_id,
                scope=scope,
                auth_time_seconds=session.facts.auth_time_seconds,
                amr=session.facts.amr,
                acr=session.facts.acr,
                epoch=session.epoch,
            ),
            now_ms=now_ms,
        )
        return IssuedTokens(
            access_token=Secret(access_token),
            expires_in_seconds=self.access_tokens.ttl_seconds,
            refresh_token=Secret(self.refresh_keys.encode(refresh_token)),
            refresh_expires_in_seconds=max(0, session.expires_ms() - now_ms) // 1000,
            scope=scope,
            session_id=id_text(session.session_id),
        )


def shared_scope(session_scope: str, user_scope: str) -> str:
    """The scopes in both, in the session's order (RFC 6749 section 6: a refresh adds nothing)."""
    allowed = set(user_scope.split())
    return " ".join(scope for scope in session_scope.split() if scope in allowed)
