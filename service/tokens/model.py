"""Signing keys and the rules of their life. Pure: no store, no clock, no chance.

pending (published, does not sign) → active (the newest that has begun) → retired (published until the last token that
it signed has expired) → gone. A key marked bad is none of these: it neither signs nor is it published.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FIRST_SLOT = 1
MAX_PUBLISHED = 128


class Algorithm(StrEnum):
    """One a key. HMAC is not among them: a key that verifies must not be able to sign."""

    ES256 = "ES256"
    EDDSA = "EdDSA"
    RS256 = "RS256"


class Phase(StrEnum):
    """Where a key is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRED = "retired"
    GONE = "gone"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class KeyRecord:
    """A key as it is stored; the private part wrapped. Slots of one algorithm count from 1 without gaps."""

    algorithm: Algorithm
    slot: int
    kid: str
    begins_ms: int
    created_ms: int
    wrapped: bytes
    public_jwk: Mapping[str, str]
    bad: bool = False

    @property
    def age_order(self) -> tuple[int, int]:
        """Newer keys are larger."""
        return (self.begins_ms, self.slot)


@dataclass(frozen=True, kw_only=True)
class KeyLife:
    """How keys follow one another, in milliseconds.

    ``overlap_ms`` is how long a retired key stays published: the access token's life, and the time in which a process
    may still sign with a key that another has replaced.
    """

    rotation_ms: int
    publish_ahead_ms: int
    overlap_ms: int


def signing_key(records: Iterable[KeyRecord], algorithm: Algorithm, *, now_ms: int) -> KeyRecord | None:
    """The newest key of ``algorithm`` that has begun and is not bad."""
    begun = [
        record for record in records if record.algorithm is algorithm and record.begins_ms <= now_ms and not record.bad
    ]
    return max(begun, key=lambda record: record.age_order, default=None)


def superseded_ms(record: KeyRecord, records: Iterable[KeyRecord], algorithm: Algorithm) -> int | None:
    """When another good key began or begins to sign in its place; None while none is there.

    A key of an algorithm that is not configured any more is followed by the first good one of that which is.
    """
    good = [other for other in records if not other.bad]
    if record.algorithm is algorithm:
        later = [o.begins_ms for o in good if o.algorithm is algorithm and o.age_order > record.age_order]
    else:
        later = [max(o.begins_ms, record.begins_ms) for o in good if o.algorithm is algorithm]
    return min(later, default=None)


def phase(
    record: KeyRecord, records: Iterable[KeyRecord], *, life: KeyLife, algorithm: Algorithm, now_ms: int
) -> Phase:
    """Where ``record`` is in its life among ``records``, where ``algorithm`` is the configured one."""
    if record.bad:
        return Phase.BAD
    if record.begins_ms > now_ms:
        return Phase.PENDING
    ended = superseded_ms(record, records, algorithm)
    if ended is None or ended > now_ms:
        return Phase.ACTIVE
    return Phase.RETIRED if now_ms < ended + life.overlap_ms else Phase.GONE


def published(
    records: tuple[KeyRecord, ...], *, life: KeyLife, algorithm: Algorithm, now_ms: int
) -> tuple[KeyRecord, ...]:
    """The keys that verifiers need: pending, active and retired ones, the oldest first.

    More than ``MAX_PUBLISHED`` no verifier takes; then the newest are kept, since a full set must not stop all.
    """
    shown = {Phase.PENDING, Phase.ACTIVE, Phase.RETIRED}
    kept = [r for r in records if phase(r, records, life=life, algorithm=algorithm, now_ms=now_ms) in shown]
    return tuple(sorted(kept, key=lambda record: record.age_order)[-MAX_PUBLISHED:])


@dataclass(frozen=True, kw_only=True)
class NextKey:
    """A key that is due to be made: its slot, and when it begins to sign."""

    slot: int
    begins_ms: int


def next_key_due(records: Iterable[KeyRecord], algorithm: Algorithm, *, life: KeyLife, now_ms: int) -> NextKey | None:
    """The key to make now, or None. Every process computes the same slot, and the first write of it wins."""
    mine = [record for record in records if record.algorithm is algorithm]
    slot = max((record.slot for record in mine), default=FIRST_SLOT - 1) + 1
    # One that begins later than any rule would have it was made by a clock that is wrong, and is waited for by nobody.
    latest_ms = now_ms + life.rotation_ms + life.publish_ahead_ms
    good = [record for record in mine if not record.bad and record.begins_ms <= latest_ms]
    if signing_key(good, algorithm, now_ms=now_ms) is None:
        return NextKey(slot=slot, begins_ms=now_ms)
    newest = max(record.begins_ms for record in good)
    due_ms = newest + life.rotation_ms
    if now_ms < due_ms - life.publish_ahead_ms:
        return None
    # Late (nobody ran for a while): it is still published as long ahead as it should be.
    return NextKey(slot=slot, begins_ms=max(due_ms, now_ms + life.publish_ahead_ms))
