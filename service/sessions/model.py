"""A session as it is stored, and the settings of its life."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.kernel.ids import SessionId, UserId


class SessionState(StrEnum):
    """Active or revoked; a session never becomes active again."""

    ACTIVE = "a"
    REVOKED = "r"


class RevokeReason(StrEnum):
    """Why a session was ended, kept for its owner and for operators."""

    LOGOUT = "logout"
    ENDED_BY_OWNER = "ended_by_owner"
    REUSE = "refresh_token_reuse"


@dataclass(frozen=True, kw_only=True)
class SessionLife:
    """Seconds and milliseconds of data.md's rotation: grace W, skew d, longest flight D, idle and absolute life."""

    grace_seconds: int
    skew_seconds: int
    deadline_seconds: int
    idle_seconds: int
    absolute_seconds: int

    @property
    def grace_ms(self) -> int:
        """W' = W + 2d: how long the previous token is honoured, whoever's clock reads the time."""
        return (self.grace_seconds + 2 * self.skew_seconds) * 1000

    @property
    def coalesce_ms(self) -> int:
        """C = W' + 2d + D: how long a generation stands before it may rotate again."""
        return self.grace_ms + (2 * self.skew_seconds + self.deadline_seconds) * 1000


@dataclass(frozen=True, kw_only=True)
class Device:
    """What a session remembers of the device, as shown to its owner; never used to decide anything."""

    name: str | None
    user_agent: str | None
    address: str | None


@dataclass(frozen=True, kw_only=True)
class SignInFacts:
    """What was proven at sign-in; it goes into every access token of the session."""

    client_id: str
    scope: str
    amr: tuple[str, ...]
    acr: str
    auth_time_seconds: int


@dataclass(frozen=True, kw_only=True)
class Session:
    """One device, one refresh-token family. Times are milliseconds since the epoch."""

    user_id: UserId
    session_id: SessionId
    state: SessionState
    generation: int
    digest: bytes
    previous_digest: bytes | None
    nonce: bytes | None
    kid: int
    rotated_ms: int
    idle_expiry_ms: int
    absolute_expiry_ms: int
    epoch: int
    created_ms: int
    facts: SignInFacts
    device: Device
    revoke_reason: str | None = None
    revoked_ms: int | None = None

    def expires_ms(self) -> int:
        """When it ends if it is not used again."""
        return min(self.idle_expiry_ms, self.absolute_expiry_ms)

    def is_live(self, *, now_ms: int, user_epoch: int) -> bool:
        """Whether a refresh of it could succeed."""
        return self.state is SessionState.ACTIVE and now_ms < self.expires_ms() and self.epoch >= user_epoch
