"""What a user's profile says of a proof that was mailed and not used: a reset, or a change of address.

It stands in the profile itself: asking is one write, and whatever voids it (a change of the password, of the address,
of the state) removes it in the write that it makes anyhow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from service.store.codec import Item

PROOF_SECONDS = 30 * 60
"""How long a mailed proof of a known user works."""
MAX_CODE_TRIES = 10
"""How often a code may be typed wrong: 10 of 32**8 is no chance worth having."""


@dataclass(frozen=True, kw_only=True)
class PendingReset:
    """A reset that was asked for."""

    token_digest: bytes
    code_digest: bytes
    expires_ms: int


@dataclass(frozen=True, kw_only=True)
class PendingChange:
    """A new address that was asked for, and waits to be confirmed."""

    token_digest: bytes
    code_digest: bytes
    expires_ms: int
    email: str
    email_key: str


def pending_reset(item: Item) -> PendingReset | None:
    """The reset of a profile item."""
    raw = cast("dict[str, Any]", item)
    if "rd" not in raw:
        return None
    return PendingReset(token_digest=raw["rd"], code_digest=raw["rc"], expires_ms=raw["rx"])


def pending_change(item: Item) -> PendingChange | None:
    """The change of address of a profile item."""
    raw = cast("dict[str, Any]", item)
    if "cd" not in raw:
        return None
    return PendingChange(
        token_digest=raw["cd"],
        code_digest=raw["cc"],
        expires_ms=raw["cx"],
        email=raw["ce"],
        email_key=raw["ck"],
    )
