"""Rotation on a real engine against a small model of its promises: many steps, two clocks, lost and late answers.

After each step the invariants of refresh rotation hold:

I1 a generation has one secret.
I2 generations grow by one, nothing is revived, the absolute expiry stands.
I3 only digests are at rest.
I4 a token works within W of its first presentation, and always leads to the same token.
I5 a superseded token never works outside the grace, and finding one revokes first.
I6 nothing works that was begun after a revocation was acknowledged.
I7 what a client holds is current or previous.
I8 a token that is not ours asks nothing.
I9 nothing works after its life.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from prometheus_client import CollectorRegistry

from service.base import open_base
from service.cli.context import migrate_context
from service.errors import InvalidGrant, NotFound
from service.kernel.ids import parse_session_id
from service.kernel.secret import Secret
from service.migrate.runner import apply_all
from service.telemetry.metrics import Metrics
from tests.journeys.rotation_model import Family, RotationModel
from tests.journeys.rotation_world import (
    ABSOLUTE_MS,
    COALESCE_MS,
    D_MS,
    DEVICE,
    FACTS,
    GRACE_MS,
    IDLE_MS,
    W_MS,
    World,
)

LONG = os.environ.get("KEYTURN_LONG") == "1"
BOUNDS_MS = (1, D_MS, W_MS - 1, W_MS, W_MS + 1, GRACE_MS - 1, GRACE_MS, GRACE_MS + 1, COALESCE_MS, COALESCE_MS + 1)
SKEWS_MS = ((-D_MS, D_MS), (D_MS, -D_MS), (0, 0))
WHICH = st.sampled_from([0, 1])
LIVING = 3


class RotationMachine(RotationModel, RuleBasedStateMachine):
    """One user, a few devices, two instances of the service."""

    @initialize(skews=st.sampled_from(SKEWS_MS))
    def begin(self, skews):
        self.world.client.fault = None
        self.world.set_active_master(1)
        self.begin_model(skews)
        self.sign_in(0)

    # --- what people do ---------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.living()) < LIVING)
    @rule(which=WHICH)
    def sign_in(self, which):
        user = self.world.user(self.user_id)
        now_ms = self.now(which)
        issued = self.world.run(self.instance(which).open_session(user, FACTS, DEVICE, now_ms=now_ms))
        session_id = parse_session_id(issued.session_id)
        family = Family(self.user_id, session_id, user.epoch, now_ms + ABSOLUTE_MS, now_ms + IDLE_MS)
        family.issued[0] = issued.refresh_token.reveal()
        self.families.append(family)

    @rule(data=st.data(), which=WHICH, fault=st.sampled_from([None, None, None, "repeat"]))
    def refresh_with_any_token(self, data, which, fault):
        """The newest, the previous one after a lost answer, or what a thief kept."""
        family = self.some_family(data)
        text = data.draw(st.sampled_from([family.newest, *family.issued.values()]))
        self.present(family, text, which, fault)

    @rule(data=st.data(), which=WHICH, wait_ms=st.sampled_from([W_MS, 0, W_MS - 1]))
    def lose_the_answer_and_retry(self, data, which, wait_ms):
        """Most often a rotation's: the token is let grow old enough first."""
        family = self.some_family(data)
        self.advance(data.draw(st.sampled_from([COALESCE_MS + 2 * D_MS + 1, 0])))
        text = family.newest
        self.present(family, text, which, "lose")
        self.advance(wait_ms)
        self.present(family, text, 1 - which, None)

    @rule(data=st.data(), which=WHICH, fault=st.sampled_from(["lose", "drop"]))
    def lose_the_answer(self, data, which, fault):
        family = self.some_family(data)
        self.present(family, family.newest, which, fault)

    @rule(data=st.data())
    def two_tabs_at_once(self, data):
        family = self.some_family(data)
        if self.flight is not None and self.flight.family is family:
            return
        tabs = [self.send(family, family.newest, which) for which in (0, 1)]
        expected = {self.expect(tab)[0] for tab in tabs}
        answers = self.world.attempt(*(self.instance(w).refresh(Secret(family.newest)) for w in (0, 1)))
        refusals = [answer for answer in answers if isinstance(answer, InvalidGrant)]
        if "reuse" in expected:
            # The answer was lost, and they come back after the grace: nobody can tell them from a thief.
            assert len(refusals) >= len(tabs) - ("again" in expected), "I5"
            assert self.world.item(family.user_id, family.session_id)["st"] == "r", "I5: revoked before the answer"
            assert tabs[0].began_ms - family.first_ms[family.newest] > W_MS, "I4: an honest retry was taken for a thief"
            family.revoked = True
        elif expected.isdisjoint({"dead", "dead_rotated"}):
            assert not refusals, "I4: two tabs are one client"
        elif expected <= {"dead", "dead_rotated"}:
            assert len(refusals) == len(tabs), "I6, I9"
        self.resync(family)
        for tab, answer in zip(tabs, answers, strict=True):
            if answer not in refusals:
                self.hand_out(tab, answer.refresh_token.reveal())

    @precondition(lambda self: self.flight is None)
    @rule(data=st.data(), which=WHICH)
    def send_a_refresh_that_takes_long(self, data, which):
        family = self.some_family(data)
        text = data.draw(st.sampled_from([family.newest, *family.issued.values()]))
        flight, client = self.send(family, text, which), self.world.client

        async def send():
            client.hold_next()
            task = asyncio.create_task(self.instance(which).refresh(Secret(text)))
            await client.held.wait()
            return task

        flight.task = self.world.run(send())
        self.flight = flight

    @precondition(lambda self: self.flight is not None)
    @rule()
    def let_it_arrive(self):
        flight, self.flight = self.flight, None
        expected, followed = self.expect(flight)
        self.world.client.release.set()
        (answer,) = self.world.attempt(flight.task)
        self.check(flight, answer, expected, followed)

    @rule(data=st.data(), which=WHICH, wait_ms=st.sampled_from([GRACE_MS + 2 * D_MS + 1, COALESCE_MS + 2 * D_MS + 1]))
    def a_thief_comes_back(self, data, which, wait_ms):
        family = self.some_family(data)
        kept = family.newest
        self.present(family, kept, which, None)
        self.advance(wait_ms)
        self.present(family, kept, 1 - which, None)

    @rule(data=st.data(), which=WHICH, early_ms=st.sampled_from([0, 1, -1]))
    def come_back_when_the_session_ends(self, data, which, early_ms):
        family = self.some_family(data)
        ends_ms = min(family.idle_ms, family.absolute_ms)
        self.advance(max(0, ends_ms - early_ms - self.now(which)))
        self.present(family, family.newest, which, None)

    @rule(data=st.data(), which=WHICH, how=st.sampled_from(["log out", "end from another", "log out everywhere"]))
    def end(self, data, which, how):
        family, instance = self.some_family(data), self.instance(which)
        if how == "log out everywhere":
            self.world.run(instance.logout_all(self.user_id, session_epoch=self.epoch))
            self.epoch += 1
            return
        if how == "log out":
            text = data.draw(st.sampled_from([*family.issued.values()]))
            self.world.run(instance.logout(Secret(text)))
        else:
            (answer,) = self.world.attempt(
                instance.end_session(self.user_id, family.session_id, session_epoch=self.epoch)
            )
            assert family.revoked or not isinstance(answer, NotFound)
        family.revoked = True

    @rule(text=st.sampled_from(["", "ktr_", "ktr_" + "0" * 101, "ktr_" + "z" * 101]))
    def present_what_is_not_ours(self, text):
        before = len(self.world.client.asked)
        with pytest.raises(InvalidGrant):
            self.world.run(self.instance(0).refresh(Secret(text)))
        self.world.run(self.instance(0).logout(Secret(text)))
        assert len(self.world.client.asked) == before, "I8"

    @precondition(lambda self: self.flight is None)
    @rule()
    def rotate_the_servers_master(self):
        self.world.set_active_master(self.world.keys.active_kid + 1)

    @rule(by_ms=st.sampled_from(BOUNDS_MS))
    def wait(self, by_ms):
        self.advance(by_ms)

    # --- what must hold ---------------------------------------------------------------------------------------------

    @invariant()
    def the_table_keeps_its_promises(self):
        secrets = [self.world.keys.decode(text).secret for one in self.families for text in one.issued.values()]
        for family in self.families:
            item, before = self.world.item(family.user_id, family.session_id), family.item or {}
            assert item["ax"] == family.absolute_ms, "I2: the absolute expiry never moves"
            assert item["g"] >= before.get("g", 0), "I2: generations never go back"
            assert (before.get("st"), item["st"]) != ("r", "a"), "I2: nothing is revived"
            assert (item["g"], item["rt"]) == (family.generation, family.rotated_ms), "I2: one by one"
            assert (item["st"] == "r") is family.revoked
            at_rest = [value for value in item.values() if isinstance(value, bytes)]
            assert not [secret for secret in secrets for value in at_rest if secret in value], "I3"
            held = self.world.keys.decode(family.newest).digest
            assert held in {item["h"], item.get("ph")}, "I7: what the client holds is current or previous"
            family.item = item

    def teardown(self):
        if getattr(self, "flight", None) is not None:
            self.let_it_arrive()


@pytest.fixture
def world(engine_url, settings):
    """Tables of this test, in a loop that outlives each step of the machine."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opened = open_base(settings, Metrics(registry=CollectorRegistry()))
        base = runner.run(stack.enter_async_context(opened))
        runner.run(apply_all(migrate_context(base, embedded=True)))
        yield World(runner.get_loop(), base.dynamo)
        runner.run(stack.aclose())


@pytest.mark.timeout(3600 if LONG else 300)
def test_rotation_keeps_its_promises_whatever_happens(world):
    machine = type("TheMachine", (RotationMachine,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=1500 if LONG else 60,
            stateful_step_count=60 if LONG else 40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
