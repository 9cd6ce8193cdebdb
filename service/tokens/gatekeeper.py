"""Who may come in: from the lines of a header to a verified caller, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyturn.bearer import read_bearer
from keyturn.errors import NoToken, TokenError
from keyturn.strict import parse
from keyturn.verifier import verify_parsed
from service.errors import StepUpRequired, Unauthenticated
from service.kernel.ids import SessionId, UserId, parse_session_id, parse_user_id

if TYPE_CHECKING:
    from keyturn.principal import Principal
    from service.kernel.clock import Clock
    from service.tokens.keyring import KeyRing


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A verified principal of ours, with its ids as the store spells them."""

    principal: Principal
    user_id: UserId
    session_id: SessionId


@dataclass(frozen=True, kw_only=True)
class Gatekeeper:
    """Verifies access tokens against the key ring; no request to DynamoDB while the keys are known."""

    keyring: KeyRing
    clock: Clock
    issuer: str
    audience: str
    leeway_seconds: int
    recent_seconds: int

    async def admit(self, authorization: list[str]) -> Caller:
        """The caller. Raises Unauthenticated, whatever is wrong; the reason goes to the log."""
        try:
            token = read_bearer(authorization)
        except NoToken:
            raise Unauthenticated("no token", presented=False) from None
        except TokenError as error:
            raise Unauthenticated(error.code, presented=True) from None
        return await self._verified(token)

    async def _verified(self, token: str) -> Caller:
        try:
            parsed = parse(token)
            jwks = await self.keyring.jwks_with(parsed.kid)
            principal = verify_parsed(
                parsed,
                keys=jwks.keys,
                expected_issuer=self.issuer,
                expected_audience=self.audience,
                now_ms=self.clock.now_ms(),
                leeway_seconds=self.leeway_seconds,
            )
        except TokenError as error:
            raise Unauthenticated(error.code, presented=True) from None
        user_id = parse_user_id(principal.subject)
        session_id = parse_session_id(principal.session_id or "")
        if user_id is None or session_id is None:
            raise Unauthenticated("not a user's token", presented=True)
        return Caller(principal=principal, user_id=user_id, session_id=session_id)

    def require_recent(self, caller: Caller) -> None:
        """Raises StepUpRequired when the sign-in is too long ago."""
        recent = caller.principal.authenticated_within(max_age_seconds=self.recent_seconds, now_ms=self.clock.now_ms())
        if not recent:
            raise StepUpRequired(max_age_seconds=self.recent_seconds)
