"""Access tokens: claims of RFC 9068, signed by the active key. The service's one door to PyJWT for signing."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.tokens.keyring import KeyRing

TYPE = "at+jwt"
_ID_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What an access token says of its bearer."""

    subject: str
    session_id: str
    client_id: str
    scope: str
    auth_time_seconds: int
    amr: tuple[str, ...]
    acr: str


@dataclass(frozen=True, kw_only=True)
class AccessTokens:
    """Makes access tokens. Raises Unavailable when no key can sign."""

    keyring: KeyRing
    clock: Clock
    entropy: Entropy
    issuer: str
    audience: str
    ttl_seconds: int

    async def issue(self, grant: Grant) -> str:
        """A signed token for ``grant`` that lives ``ttl_seconds`` from now."""
        signer = await self.keyring.signer()
        now_seconds = self.clock.now_ms() // 1000
        claims = {
            "iss": self.issuer,
            "sub": grant.subject,
            "aud": self.audience,
            "exp": now_seconds + self.ttl_seconds,
            "iat": now_seconds,
            "jti": base64.urlsafe_b64encode(self.entropy.token_bytes(_ID_BYTES)).rstrip(b"=").decode(),
            "client_id": grant.client_id,
            "scope": grant.scope,
            "sid": grant.session_id,
            "auth_time": grant.auth_time_seconds,
            "amr": list(grant.amr),
            "acr": grant.acr,
        }
        headers = {"typ": TYPE, "kid": signer.kid}
        return jwt.encode(claims, signer.key, algorithm=signer.algorithm.value, headers=headers)
