"""Brute force in parallel: what is counted are the hashes that are computed."""

from __future__ import annotations

import asyncio

import pytest

from service.errors import TooManyRequests
from service.passwords.pool import HashingPool
from service.throttle.device import DeviceId
from service.throttle.limits import ACCOUNT, ADDRESS

SLOTS = 4


class Hasher:
    """A hashing pool whose work is to count."""

    def __init__(self):
        self.pool = HashingPool(slots=SLOTS, queue=2000)
        self.computed = 0

    async def verify(self, *, on_slot):
        await self.pool.run(self._count, on_slot=on_slot)

    def _count(self):
        self.computed += 1


@pytest.fixture
async def hashers():
    made = [Hasher() for _ in range(4)]
    yield made
    for hasher in made:
        await hasher.pool.close()


async def sign_in(limiter, hasher, lanes, *, right=False):
    """What a sign-in does around its hash; True when the password was looked at."""
    try:
        async with await limiter.before(lanes) as admission:
            await hasher.verify(on_slot=admission.at_slot)
            await (admission.succeeded() if right else admission.failed())
    except TooManyRequests:
        return False
    return True


async def test_a_thousand_parallel_wrong_passwords_compute_no_more_hashes_than_the_limit(limiter, lanes, hashers):
    hasher = hashers[0]
    answers = await asyncio.gather(*(sign_in(limiter, hasher, lanes()) for _ in range(1000)))
    assert hasher.computed == sum(answers) == ACCOUNT.failures


async def test_from_a_thousand_addresses_too(limiter, lanes, hashers):
    hasher = hashers[0]
    networks = [f"10.0.{number // 250}.{number % 250}/32" for number in range(1000)]
    await asyncio.gather(*(sign_in(limiter, hasher, lanes("ada", network)) for network in networks))
    assert hasher.computed == ACCOUNT.failures


async def test_four_processes_compute_at_most_one_more_each(make, lanes, hashers):
    processes = [make() for _ in hashers]
    pairs = list(zip(processes, hashers, strict=True)) * 250
    await asyncio.gather(*(sign_in(limiter, hasher, lanes()) for limiter, hasher in pairs))
    computed = sum(hasher.computed for hasher in hashers)
    assert ACCOUNT.failures <= computed <= ACCOUNT.failures + len(processes) - 1


async def test_a_thousand_accounts_from_one_address_stop_at_its_limit(limiter, lanes, hashers):
    hasher = hashers[0]
    await asyncio.gather(*(sign_in(limiter, hasher, lanes(f"user{number}")) for number in range(1000)))
    assert hasher.computed == ADDRESS.failures


async def test_the_owner_on_a_known_device_signs_in_meanwhile(limiter, lanes, hashers):
    hasher, phone = hashers[0], DeviceId(b"p" * 16)
    strangers = [sign_in(limiter, hasher, lanes("ada", f"10.0.0.{number % 250}/32")) for number in range(500)]
    owner = sign_in(limiter, hasher, lanes("ada", "198.51.100.1/32", phone), right=True)
    *_refused, signed_in = await asyncio.gather(*strangers, owner)
    assert signed_in


async def test_right_passwords_in_parallel_all_sign_in_and_leave_no_trace(limiter, lanes, hashers, dynamo, clock):
    answers = await asyncio.gather(*(sign_in(limiter, hashers[0], lanes(), right=True) for _ in range(100)))
    assert all(answers)
    assert await sign_in(limiter, hashers[0], lanes())


async def test_right_and_wrong_passwords_mixed_compute_at_most_the_limit_of_wrong_ones(limiter, lanes, hashers):
    attempts = [sign_in(limiter, hashers[0], lanes(), right=number % 2 == 0) for number in range(400)]
    answers = await asyncio.gather(*attempts)
    assert sum(answers[1::2]) <= ACCOUNT.failures


async def test_a_limit_reached_while_others_wait_for_a_slot_stops_them_for_nothing(limiter, lanes, hashers, meter):
    waiting = [await limiter.before(lanes()) for _ in range(50)]
    for _ in range(ACCOUNT.failures):
        await sign_in(limiter, hashers[0], lanes())
    meter.clear()
    for admission in waiting:
        with pytest.raises(TooManyRequests):
            await admission.at_slot()
    assert meter.calls == []


async def test_a_limit_reached_by_another_process_stops_those_who_wait_after_one_of_them(make, lanes, hashers):
    here, there = make(), make()
    waiting = [await here.before(lanes()) for _ in range(50)]
    for _ in range(ACCOUNT.failures):
        await sign_in(there, hashers[0], lanes())
    computed = 0
    for admission in waiting:
        try:
            await admission.at_slot()
        except TooManyRequests:
            continue
        computed += 1
        await admission.failed()
    assert computed == 1
