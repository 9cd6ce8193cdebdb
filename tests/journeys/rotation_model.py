"""What rotation promises, as the outside can know it: a small model, and the checks of each answer against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from service.errors import InvalidGrant, KeyturnError
from service.kernel.secret import Secret
from service.store.errors import StoreUnavailable
from tests.journeys.rotation_world import COALESCE_MS, D_MS, FLIGHT_MS, GRACE_MS, IDLE_MS, W_MS, World

if TYPE_CHECKING:
    import asyncio


@dataclass
class Family:
    """What the outside knows of a session: every token that was handed out, and when each was first presented."""

    user_id: bytes
    session_id: bytes
    epoch: int
    absolute_ms: int
    idle_ms: int
    generation: int = 0
    rotated_ms: int = 0
    revoked: bool = False
    issued: dict[int, str] = field(default_factory=dict)
    first_ms: dict[str, int] = field(default_factory=dict)
    led_to: dict[str, str] = field(default_factory=dict)
    superseded_ms: dict[int, int] = field(default_factory=dict)
    item: dict | None = None

    @property
    def newest(self):
        return self.issued[max(self.issued)]


@dataclass
class Presentation:
    """A refresh token on its way: what was so when it was sent."""

    family: Family
    text: str
    read_ms: int
    began_ms: int
    epoch: int
    revoked: bool
    task: asyncio.Task | None = None


class RotationModel:
    """The sessions of one user; ``skews`` are the errors of the two instances' clocks."""

    world: World

    def begin_model(self, skews):
        self.families: list[Family] = []
        self.flight: Presentation | None = None
        self.epoch = 0
        self.skews = skews
        self.user_id = self.world.new_user()

    def living(self):
        """The sessions that could still be refreshed, by the first instance's clock."""
        return [
            family
            for family in self.families
            if not family.revoked
            and family.epoch >= self.epoch
            and self.now(0) < min(family.idle_ms, family.absolute_ms)
        ]

    def some_family(self, data):
        """A session; most often a living one."""
        living = self.living() or self.families
        return data.draw(st.sampled_from([*living, *living, self.families[-1]]))

    def now(self, which):
        return self.world.clock.ms + self.skews[which]

    def instance(self, which):
        return self.world.instance(self.skews[which])

    def advance(self, by_ms):
        if self.flight is not None and self.world.clock.ms + by_ms - self.flight.began_ms > FLIGHT_MS:
            # No call is longer under way than its deadline.
            by_left = max(0, self.flight.began_ms + FLIGHT_MS - self.world.clock.ms)
            self.world.clock.ms += by_left
            self.let_it_arrive()
            by_ms -= by_left
        self.world.clock.ms += by_ms

    def send(self, family, text, which):
        clock_ms = self.world.clock.ms
        family.first_ms.setdefault(text, clock_ms)
        return Presentation(family, text, self.now(which), clock_ms, self.epoch, family.revoked)

    def expect(self, sent):
        """What the rule says a presentation is worth, and the generation that its answer carries."""
        family, generation = sent.family, self.world.keys.decode(sent.text).generation
        if family.revoked or sent.read_ms >= min(family.idle_ms, family.absolute_ms):
            return "dead", None
        dead = family.epoch < sent.epoch
        if generation == family.generation:
            if family.rotated_ms < sent.read_ms - COALESCE_MS:
                return ("dead_rotated" if dead else "rotated"), generation + 1
            return ("dead" if dead else "same"), generation
        if generation == family.generation - 1 and sent.read_ms - family.rotated_ms <= GRACE_MS:
            return ("dead" if dead else "again"), generation + 1
        return "reuse", None

    def present(self, family, text, which, fault):
        sent = self.send(family, text, which)
        expected, followed = self.expect(sent)
        self.world.client.fault = fault
        (answer,) = self.world.attempt(self.instance(which).refresh(Secret(text)))
        if fault == "drop":
            assert isinstance(answer, StoreUnavailable)
        elif fault == "lose" and expected in {"rotated", "dead_rotated"}:
            assert isinstance(answer, StoreUnavailable)
            self.rotate(family, sent.read_ms)
        else:
            self.check(sent, answer, expected, followed)

    def check(self, sent, answer, expected, followed):
        family = sent.family
        if expected in {"rotated", "dead_rotated"}:
            self.rotate(family, sent.read_ms)
        if expected in {"rotated", "same", "again"}:
            assert not isinstance(answer, KeyturnError), f"I4: {answer!r}"
            self.hand_out(sent, answer.refresh_token.reveal())
            assert self.world.keys.decode(answer.refresh_token.reveal()).generation == followed
            return
        assert isinstance(answer, InvalidGrant), f"I5, I6, I9: {answer!r}"
        if expected == "reuse":
            assert self.world.item(family.user_id, family.session_id)["st"] == "r", "I5: revoked before the answer"
            family.revoked = True
            assert sent.began_ms - family.first_ms[sent.text] > W_MS, "I4: an honest retry was taken for a thief"

    def rotate(self, family, read_ms):
        family.superseded_ms[family.generation] = self.world.clock.ms
        family.generation += 1
        family.rotated_ms, family.idle_ms = read_ms, read_ms + IDLE_MS

    def resync(self, family):
        """Of two at once, the table says whose time was written."""
        item = self.world.item(family.user_id, family.session_id)
        if item["g"] == family.generation + 1:
            self.rotate(family, item["rt"])

    def hand_out(self, sent, token):
        """A refresh worked: whatever the rule says, it must not have been one of these."""
        family = sent.family
        assert not sent.revoked, "I6: it was revoked before"
        assert family.epoch >= sent.epoch, "I6: everything was ended before"
        assert sent.read_ms < family.absolute_ms, "I9"
        generation = self.world.keys.decode(token).generation
        assert family.issued.setdefault(generation, token) == token, "I1: one secret a generation"
        if token != sent.text:
            assert family.led_to.setdefault(sent.text, token) == token, "I4: the same successor each time"
        ended_ms = family.superseded_ms.get(generation - 1 if token != sent.text else generation)
        if ended_ms is not None:
            assert sent.began_ms - ended_ms <= GRACE_MS + 2 * D_MS, "I5: outside the grace"
