"""A sign-up that waits for its address to be confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.kernel.ids import UserId

SIGN_UP_SECONDS = 24 * 3600
"""How long a sign-up may be confirmed, and how long a name is held for it where names are held."""


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """All that becomes the account. ``key`` and ``token_digest`` are of the one-time token that confirms it."""

    key: str
    token_digest: bytes
    user_id: UserId
    email: str
    email_key: str
    username: str | None
    username_key: str | None
    password_hash: str
    locale: str
    expires_ms: int
