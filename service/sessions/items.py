"""A session to its DynamoDB item and back; attribute names are short because the item must stay below 1 KB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from service.kernel.ids import SessionId, UserId
from service.sessions.model import Device, Session, SessionState, SignInFacts

if TYPE_CHECKING:
    from service.store.codec import Item, Value

_TTL_MARGIN_SECONDS = 86_400


def ttl_seconds(expiry_ms: int) -> int:
    """When DynamoDB may collect the item: a day after it ended, so that a late client still hears the true reason."""
    return expiry_ms // 1000 + _TTL_MARGIN_SECONDS


def key(user_id: UserId, session_id: SessionId) -> dict[str, Value]:
    """The primary key."""
    return {"uid": bytes(user_id), "sid": bytes(session_id)}


def to_item(session: Session) -> dict[str, Value | None]:
    """The item of ``session``."""
    return {
        **key(session.user_id, session.session_id),
        "st": session.state.value,
        "g": session.generation,
        "h": session.digest,
        "ph": session.previous_digest,
        "n": session.nonce,
        "k": session.kid,
        "rt": session.rotated_ms,
        "ix": session.idle_expiry_ms,
        "ax": session.absolute_expiry_ms,
        "ep": session.epoch,
        "ct": session.created_ms,
        "cl": session.facts.client_id,
        "sc": session.facts.scope,
        "am": " ".join(session.facts.amr),
        "ac": session.facts.acr,
        "at": session.facts.auth_time_seconds,
        "dn": session.device.name,
        "ua": session.device.user_agent,
        "ip": session.device.address,
        "rr": session.revoke_reason,
        "rx": session.revoked_ms,
        "ttl": ttl_seconds(session.expires_ms()),
    }


def from_item(item: Item) -> Session:
    """The session of ``item``."""
    raw = cast("dict[str, Any]", item)
    return Session(
        user_id=UserId(raw["uid"]),
        session_id=SessionId(raw["sid"]),
        state=SessionState(raw["st"]),
        generation=raw["g"],
        digest=raw["h"],
        previous_digest=raw.get("ph"),
        nonce=raw.get("n"),
        kid=raw["k"],
        rotated_ms=raw["rt"],
        idle_expiry_ms=raw["ix"],
        absolute_expiry_ms=raw["ax"],
        epoch=raw["ep"],
        created_ms=raw["ct"],
        facts=SignInFacts(
            client_id=raw["cl"],
            scope=raw["sc"],
            amr=tuple(raw["am"].split()),
            acr=raw["ac"],
            auth_time_seconds=raw["at"],
        ),
        device=Device(name=raw.get("dn"), user_agent=raw.get("ua"), address=raw.get("ip")),
        revoke_reason=raw.get("rr"),
        revoked_ms=raw.get("rx"),
    )
