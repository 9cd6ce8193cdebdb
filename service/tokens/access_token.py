"""Access tokens: claims of RFC 9068, signed by the active key."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.tokens.jws import sign

if TYPE_CHECKING:
    from service.kernel.entropy import Entropy
    from service.tokens.keyring import KeyRing

TYPE = "at+jwt"
_ID_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What an access token says of its bearer. ``epoch`` is the session's: how often its user had ended them all."""

    subject: str
    session_id: str
    client_id: str
    scope: str
    auth_time_seconds: int
    amr: tuple[str, ...]
    acr: str
    epoch: int


@dataclass(frozen=True, kw_only=True)
class AccessTokens:
    """Makes access tokens. Raises Unavailable when no key can sign.

    ``tells_epoch``: tokens carry the private claim ``epoch``, by which the readers of the revocation feed know which of
    a user's tokens are dead.
    """

    keyring: KeyRing
    entropy: Entropy
    issuer: str
    audience: str
    ttl_seconds: int
    tells_epoch: bool

    async def issue(self, grant: Grant, *, now_ms: int) -> str:
        """A signed token for ``grant`` that lives ``ttl_seconds`` from ``now_ms``.

        That is when its session was last seen to be alive, not when the signature is made: however long a process
        stands still in between, no token outlives the end of its session by more than its life.
        """
        signer = await self.keyring.signer()
        now_seconds = now_ms // 1000
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": grant.subject,
            "aud": self.audience,
            "exp": now_seconds + self.ttl_seconds,
            "iat": now_seconds,
            "jti": base64.urlsafe_b64encode(self.entropy.token_bytes(_ID_BYTES)).rstrip(b"=").decode(),
            "client_id": grant.client_id,
            "sid": grant.session_id,
            "auth_time": grant.auth_time_seconds,
            "amr": list(grant.amr),
            "acr": grant.acr,
        }
        if grant.scope:
            # No scope is no claim: the grammar of RFC 6749 section 3.3 knows no empty one, and validators refuse it.
            claims["scope"] = grant.scope
        if self.tells_epoch:
            claims["epoch"] = grant.epoch
        return sign(claims, signer=signer, typ=TYPE)
