"""A user to its DynamoDB items and back: the profile under ``U``, the markers that make its names its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from service.kernel.ids import UserId
from service.users.model import User, UserState

if TYPE_CHECKING:
    from service.store.codec import Item, Value

PROFILE = "U"
FORGET_PENDING = "REMOVE rd, rc, rx, rn, cd, cc, cx, cn, ce, ck"
"""The part of an update that voids proofs which were mailed and not used: a reset, a change of address."""


def key(user_id: UserId, sort: str = PROFILE) -> dict[str, Value]:
    """The primary key of a user's profile, or of what else stands in its partition."""
    return {"uid": bytes(user_id), "sk": sort}


def to_item(user: User) -> dict[str, Value | None]:
    """The profile item."""
    return {
        **key(user.user_id),
        "st": user.state.value,
        "ep": user.epoch,
        "em": user.email,
        "ek": user.email_key,
        "un": user.username,
        "uk": user.username_key,
        "sc": user.scope,
        "dn": user.display_name,
        "lc": user.locale,
        "ct": user.created_ms,
        "vt": user.verified_ms,
        "nw": user.is_fresh or None,
        "sv": 1,
    }


def from_item(item: Item) -> User:
    """The user of a profile item."""
    raw = cast("dict[str, Any]", item)
    return User(
        user_id=UserId(raw["uid"]),
        state=UserState(raw["st"]),
        epoch=raw["ep"],
        email=raw.get("em"),
        email_key=raw.get("ek"),
        username=raw.get("un"),
        username_key=raw.get("uk"),
        scope=raw.get("sc", ""),
        display_name=raw.get("dn"),
        locale=raw.get("lc"),
        created_ms=raw["ct"],
        verified_ms=raw.get("vt"),
        is_fresh=raw.get("nw", False),
    )
