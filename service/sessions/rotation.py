"""The rule of refresh rotation: what a refused write means. Pure: no store, no clock, no chance.

The write itself is the check (``SessionRepo.rotate``): it succeeds only for the current secret of an active, unexpired
session whose last rotation is longer than C ago. When it is refused, the item as it was decides here, row by row.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from service.sessions.model import Session, SessionLife, SessionState

if TYPE_CHECKING:
    from service.sessions.refresh_token import RefreshKeys, RefreshToken


class Refusal(StrEnum):
    """Why a refresh token does not work; for the log, the metrics and the alarm, never for the client."""

    NOT_OURS = "not_ours"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"
    FORGED = "forged"
    FUTURE = "future"
    REUSE = "reuse"
    UNDERIVABLE = "underivable"
    USER_GONE = "user_gone"
    EPOCH = "epoch"

    @property
    def is_alarming(self) -> bool:
        """Whether an operator should look: a key is out, a table was restored, or a token was stolen."""
        return self in {Refusal.FORGED, Refusal.FUTURE, Refusal.REUSE, Refusal.UNDERIVABLE}


class Kind(StrEnum):
    """How a refresh succeeded."""

    ROTATED = "rotated"
    COALESCED = "coalesced"
    GRACE = "grace"


@dataclass(frozen=True, kw_only=True)
class Granted:
    """The refresh token to hand out, and the session that it belongs to."""

    kind: Kind
    token: RefreshToken
    session: Session


@dataclass(frozen=True, kw_only=True)
class Refused:
    """No token is handed out. After ``REUSE`` the session must be revoked before the answer is sent."""

    reason: Refusal


def judge(
    stored: Session | None, presented: RefreshToken, *, keys: RefreshKeys, life: SessionLife, now_ms: int
) -> Granted | Refused:
    """What ``presented`` is worth when the rotating write was refused and ``stored`` is the item as it was."""
    if stored is None:
        return Refused(reason=Refusal.UNKNOWN)
    if stored.state is not SessionState.ACTIVE:
        return Refused(reason=Refusal.REVOKED)
    if now_ms >= stored.expires_ms():
        return Refused(reason=Refusal.EXPIRED)
    if presented.generation == stored.generation:
        return _current(stored, presented)
    if presented.generation > stored.generation:
        # A restored table or a lagging region: the client may be right, so nothing is revoked.
        return Refused(reason=Refusal.FUTURE)
    if _is_previous(stored, presented) and now_ms - stored.rotated_ms <= life.grace_ms:
        return _again(stored, presented, keys)
    return Refused(reason=Refusal.REUSE)


def _current(stored: Session, presented: RefreshToken) -> Granted | Refused:
    if not hmac.compare_digest(presented.digest, stored.digest):
        # The tag is right and the secret is not: whoever made this has our key and not the client's secret.
        return Refused(reason=Refusal.FORGED)
    return Granted(kind=Kind.COALESCED, token=presented, session=stored)


def _is_previous(stored: Session, presented: RefreshToken) -> bool:
    return (
        presented.generation == stored.generation - 1
        and stored.previous_digest is not None
        and hmac.compare_digest(presented.digest, stored.previous_digest)
    )


def _again(stored: Session, presented: RefreshToken, keys: RefreshKeys) -> Granted | Refused:
    """The same successor as the first time, for a client that lost the answer."""
    token = keys.successor(presented, kid=stored.kid, nonce=stored.nonce or b"")
    if token is None or not hmac.compare_digest(token.digest, stored.digest):
        return Refused(reason=Refusal.UNDERIVABLE)
    return Granted(kind=Kind.GRACE, token=token, session=stored)
