"""What a sign-in is counted by, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.kernel.secret import Secret
    from service.sessions.issue import IssuedTokens


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where an attempt comes from: the client's network, and the device token that it presents."""

    network: str
    device_token: Secret[str] | None


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """The tokens of the new session, and one by which the device is known again."""

    tokens: IssuedTokens
    device_token: Secret[str]
