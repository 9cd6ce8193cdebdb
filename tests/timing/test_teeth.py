"""Each leak that the test of the doors is there for is found by it."""

from __future__ import annotations

import random
import time

import pytest

from service.accounts.decoys import Decoys
from service.accounts.forgot_password import ForgotPassword
from service.kernel.even import EvenAnswers
from service.mail.outbox import Outbox
from service.passwords.hasher import PasswordHasher
from service.passwords.model import Verdict
from tests.timing.doors import DOORS, pairs
from tests.timing.judge import told_apart_by
from tests.timing.statistic import LEAST_MS, compare

COUNT = 120

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def told(client, clock):
    async def ask(name):
        return told_apart_by(await pairs(client, DOORS[name], clock=clock, count=COUNT, names=10))

    return ask


async def test_an_unknown_name_without_a_decoy_hash_is_found(told, monkeypatch):
    monkeypatch.setattr(PasswordHasher, "_refuse", lambda _self, _presented, why: Verdict.no(why))
    assert "work before the beat" in await told("sign in")


async def test_a_decoy_write_left_out_is_found(told, monkeypatch):
    write = Decoys.write
    monkeypatch.setattr(Decoys, "write", lambda decoys, email_key, count: write(decoys, email_key, count - 1))
    assert "calls before the answer" in await told("forgot")


async def test_a_mail_sent_before_the_answer_is_found(told, monkeypatch):
    mail_to, letters = ForgotPassword._mail_to, []

    async def mail_and_send(flow, user, address):
        await mail_to(flow, user, address)
        await flow.outbox._deliver(letters.pop())

    monkeypatch.setattr(ForgotPassword, "_mail_to", mail_and_send)
    monkeypatch.setattr(Outbox, "dispatch", lambda _outbox, announced: letters.append(announced.letter))
    assert {"calls before the answer", "work before the beat"} <= set(await told("forgot"))


async def test_a_millisecond_of_work_for_the_known_is_found(told, monkeypatch):
    mail_to = ForgotPassword._mail_to

    async def slower(flow, user, address):
        until = time.thread_time() + 0.001
        while time.thread_time() < until:
            pass
        await mail_to(flow, user, address)

    monkeypatch.setattr(ForgotPassword, "_mail_to", slower)
    assert "work before the beat" in await told("forgot")


async def test_a_millisecond_after_the_beat_is_found(told, monkeypatch):
    after = EvenAnswers.after

    async def slower(even, work):
        is_known = []
        monkeypatch.setattr(Outbox, "dispatch", lambda *_: is_known.append(True))
        answer = await after(even, work)
        until = time.perf_counter() + (0.001 if is_known else 0)
        while time.perf_counter() < until:
            pass
        return answer

    monkeypatch.setattr(EvenAnswers, "after", slower)
    assert "time after the beat" in await told("forgot")


async def test_an_answer_that_does_not_wait_is_found(told, monkeypatch):
    monkeypatch.setattr(EvenAnswers, "_wait", lambda *_: _nothing())
    with pytest.raises(AssertionError, match="waits for its beat"):
        await told("resend")


async def _nothing():
    return


def noise(seed, count=500, *, shift=0.0):
    """Durations as a loaded machine makes them: 8 ms and some, every fifth far more."""
    chance = random.Random(seed)
    return [
        8 + shift + chance.lognormvariate(0, 0.5) + (chance.expovariate(1 / 40) if chance.random() < 0.2 else 0)
        for _ in range(count)
    ]


def noisy_pairs(seed, count=500, *, shift=0.0):
    return list(zip(noise(seed, count, shift=shift), noise(seed + 1000, count), strict=True))


def test_what_a_loaded_machine_does_to_both_is_no_difference():
    assert not [seed for seed in range(8) if compare(noisy_pairs(seed)).is_leak()]


def test_what_a_machine_that_slows_down_does_to_both_of_a_pair_is_no_difference():
    slower = [(one + at / 10, other + at / 10) for at, (one, other) in enumerate(noisy_pairs(1))]
    assert not compare(slower).is_leak()


def test_a_millisecond_in_such_noise_is_a_difference():
    compared = [compare(noisy_pairs(seed, 300, shift=1.0)) for seed in range(2)]
    assert all(one.is_leak() for one in compared)
    assert all(abs(one.difference_ms - 1.0) < LEAST_MS for one in compared)


def test_alike_kinds_are_told_apart_as_seldom_as_the_rule_says():
    """Of 200 comparisons with no bound to pass, two are expected below 1 in 100, and hardly ever nine."""
    chances = [compare(noisy_pairs(seed, 60)).chance() for seed in range(200)]
    assert sum(chance <= 0.01 for chance in chances) <= 8
