"""Every short schedule of honest presentations over the pure rule: what coalescing and ``<=`` are for.

The promise (I4): a token presented again within W of its first presentation works, whichever instance reads the time.
A client keeps its promise when it presents the newest token, or one that it first presented at most W ago.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from service.sessions.model import SessionLife, SessionState
from service.sessions.refresh_token import RefreshKeys
from service.sessions.rotation import Granted, Refusal, judge
from tests.unit.sessions.conftest import HOUR_MS, MASTERS, NONCE, NOW_MS, make_session, make_token

KEYS = RefreshKeys(MASTERS, active_kid=1)
CHAIN = [make_token()]
for _ in range(6):
    CHAIN.append(KEYS.successor(CHAIN[-1], kid=1, nonce=NONCE))
W_MS, D_MS, FLIGHT_MS = 30_000, 2_000, 10_000
LIFE = SessionLife(grace_seconds=30, skew_seconds=2, deadline_seconds=10, idle_seconds=3600, absolute_seconds=7200)
EVENTS = 6


class WithoutCoalescing(SessionLife):
    @property
    def coalesce_ms(self):
        return 0


class StrictlyLess(SessionLife):
    """``now - rt < W'`` in place of ``<=``: in whole milliseconds, a grace that is one shorter."""

    @property
    def grace_ms(self):
        return super().grace_ms - 1


class WithoutSkew(SessionLife):
    @property
    def grace_ms(self):
        return self.grace_seconds * 1000


class WithoutFlight(SessionLife):
    @property
    def coalesce_ms(self):
        return self.grace_ms + 2 * self.skew_seconds * 1000


def life_of(kind):
    return kind(**vars(LIFE))


LIVES = {kind: life_of(kind) for kind in (SessionLife, WithoutCoalescing, StrictlyLess, WithoutSkew, WithoutFlight)}


@dataclass(frozen=True)
class World:
    """The table's one item, the true time, and when each generation was first presented."""

    session: object = make_session(CHAIN[0], idle_expiry_ms=NOW_MS + HOUR_MS)
    true_ms: int = NOW_MS
    first: tuple[int | None, ...] = (None,) * len(CHAIN)

    def honest(self):
        """The generations that a client may present now."""
        return [
            generation
            for generation in range(self.session.generation + 1)
            if generation == self.session.generation
            or (self.first[generation] is not None and self.true_ms - self.first[generation] <= W_MS)
        ]

    def advance(self, by_ms):
        return replace(self, true_ms=self.true_ms + by_ms)

    def seen(self, generation):
        if self.first[generation] is not None:
            return self
        return replace(self, first=(*self.first[:generation], self.true_ms, *self.first[generation + 1 :]))

    def land(self, generation, read_ms, life):
        """The write and the rule for an instance that read ``read_ms``: the world after it, and a refusal or None."""
        token, session = CHAIN[generation], self.session
        if (
            session.digest == token.digest
            and session.state is SessionState.ACTIVE
            and session.rotated_ms < read_ms - life.coalesce_ms
            and read_ms < session.expires_ms()
        ):
            following = CHAIN[generation + 1]
            rotated = replace(
                session,
                generation=following.generation,
                digest=following.digest,
                previous_digest=token.digest,
                nonce=NONCE,
                rotated_ms=read_ms,
            )
            return replace(self, session=rotated), None
        verdict = judge(session, token, keys=KEYS, life=life, now_ms=read_ms)
        return self, None if isinstance(verdict, Granted) else verdict.reason

    def present(self, generation, skew_ms, life):
        return self.seen(generation).land(generation, self.true_ms + skew_ms, life)


def broken_promises(life, world, left, path=()):
    """The shortest schedules that refuse an honest client, depth first."""
    if left == 0:
        return
    for by_ms in (1, W_MS, life.coalesce_ms):
        yield from broken_promises(life, world.advance(by_ms), left - 1, (*path, f"wait {by_ms} ms"))
    for generation in world.honest():
        for skew_ms in (-D_MS, D_MS):
            after, refusal = world.present(generation, skew_ms, life)
            step = (*path, f"present generation {generation}, clock {skew_ms:+} ms")
            if refusal is not None:
                yield (*step, refusal.value)
            else:
                yield from broken_promises(life, after, left - 1, step)


def test_no_schedule_of_six_events_refuses_an_honest_client():
    assert next(broken_promises(LIVES[SessionLife], World(), EVENTS), None) is None


def test_without_coalescing_a_quick_second_rotation_turns_an_honest_retry_into_reuse():
    found = min(broken_promises(LIVES[WithoutCoalescing], World(), 4), key=len)
    assert found[-1] == Refusal.REUSE.value
    presented = [step.split(",")[0] for step in found[:-1] if step.startswith("present")]
    assert presented == ["present generation 0", "present generation 1", "present generation 0"]


def test_a_grace_with_less_than_in_place_of_at_most_breaks_the_promise_at_its_last_millisecond():
    found = min(broken_promises(LIVES[StrictlyLess], World(), 3), key=len)
    assert found == (
        "present generation 0, clock -2000 ms",
        "wait 30000 ms",
        "present generation 0, clock +2000 ms",
        "reuse",
    )


def test_a_grace_that_forgets_the_clocks_skew_breaks_the_promise():
    assert min(broken_promises(LIVES[WithoutSkew], World(), 3), key=len)[-1] == "reuse"


@pytest.mark.parametrize(("kind", "refused"), [(WithoutFlight, Refusal.REUSE), (SessionLife, None)])
def test_a_retry_under_way_for_the_longest_time_lands_before_its_token_is_two_generations_old(kind, refused):
    life = LIVES[kind]
    # The first rotation is dated as early, and the second as late, as two clocks within the skew can have it.
    world, _ = World().present(0, -D_MS, life)
    world = world.advance(W_MS)
    read_ms = world.true_ms + D_MS
    world = world.advance(FLIGHT_MS)
    world, _ = world.present(1, D_MS, life)
    _, refusal = world.land(0, read_ms, life)
    assert refusal is refused


def test_the_promise_is_not_kept_forever_for_a_token_presented_after_its_time():
    world, _ = World().present(0, 0, LIVES[SessionLife])
    late = world.advance(LIFE.grace_ms + 1)
    assert 0 not in late.honest()
    assert late.present(0, 0, LIVES[SessionLife])[1] is Refusal.REUSE
