"""The doors that must not tell who has an account, and all the ways in which somebody is known at each."""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.users.model import UserState
from tests.support.accounts import make_person, new_name, set_state
from tests.support.people import PASSWORD, register
from tests.timing.caller import post
from tests.timing.watch import WATCH, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

ROUND = 4
"""So often each name is asked for before all lanes and quotas are left to rest: no limit is met, none reserves."""
RESTED_MS = 2 * 3600 * 1000


def new_address():
    """Nobody's address; all are equally long."""
    return f"{new_name()}@example.com"


async def nobody(_client):
    return new_address()


async def nobodys_name(_client):
    return new_name()


async def with_account(client):
    return (await make_person(client)).email


async def with_username(client):
    return (await make_person(client)).username


async def disabled(client):
    person = await make_person(client)
    await set_state(client, person, UserState.DISABLED)
    return person.email


async def locked(client):
    person = await make_person(client)
    await set_state(client, person, UserState.LOCKED)
    return person.email


async def with_sign_up(client):
    """Somebody who has registered and not confirmed: at resend, that is who is known."""
    email = new_address()
    assert (await register(client, email)).status_code == 202
    return email


async def contested(client):
    """Two have registered this address."""
    email = await with_sign_up(client)
    assert (await register(client, email, password=f"{PASSWORD} of another")).status_code == 202
    return email


@dataclass(frozen=True)
class Door:
    path: str
    body: Callable
    make_known: Callable
    make_unknown: Callable = nobody

    def known(self, make_known, make_unknown=nobody):
        return Door(self.path, self.body, make_known, make_unknown)


REGISTER = Door("/v1/register", lambda email: {"email": email, "password": PASSWORD}, with_account)
SIGN_IN = Door("/v1/login", lambda name: {"identifier": name, "password": "wrong horse battery staple"}, with_account)
FORGOT = Door("/v1/password/forgot", lambda email: {"email": email}, with_account)
RESEND = Door("/v1/email/resend", lambda email: {"email": email}, with_sign_up)
REGISTER_NAME = Door(
    "/v1/register",
    lambda name: {"email": new_address(), "password": PASSWORD, "username": name},
    with_username,
    nobodys_name,
)

DOORS = {"register": REGISTER, "sign in": SIGN_IN, "forgot": FORGOT, "resend": RESEND}
OTHERS = {
    "register, who has not confirmed": REGISTER.known(with_sign_up),
    "register, disabled": REGISTER.known(disabled),
    "register, a username": REGISTER_NAME,
    "sign in, by username": SIGN_IN.known(with_username, nobodys_name),
    "sign in, disabled": SIGN_IN.known(disabled),
    "sign in, locked": SIGN_IN.known(locked),
    "forgot, disabled": FORGOT.known(disabled),
    "forgot, locked": FORGOT.known(locked),
    "resend, contested": RESEND.known(contested),
    "resend, with an account": RESEND.known(with_account),
}


@dataclass(frozen=True)
class Sample:
    """One request: what was seen and when, and how it came about."""

    seen: tuple
    work_cpu_ms: float
    calls_before: tuple
    answer_ms: float
    after_ms: float


@dataclass(frozen=True)
class Visitors:
    """Each of another network, so that no lane and no quota of one is met."""

    _numbers: itertools.count = field(default_factory=lambda: itertools.count(uuid.uuid4().int % 2**20))

    def next(self):
        number = next(self._numbers)
        return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


async def knock(client, door, name, watch, *, peer):
    """One request, watched. Its work ends where its wait for the beat begins."""
    WATCH.set(watch)
    answered = await post(client.app, door.path, door.body(name), peer=peer)
    assert len(watch.rests) == 1, "the answer waits for its beat, once"
    (rest,) = watch.rests
    return Sample(
        seen=answered.seen,
        work_cpu_ms=(rest.cpu_began - answered.cpu_began) * 1000,
        calls_before=rest.calls,
        answer_ms=(answered.ended - answered.began) * 1000,
        after_ms=(answered.ended - rest.ended) * 1000,
    )


async def pairs(client, door, *, clock, count, names, seed=1):
    """``count`` pairs of samples, of a known and an unknown name; chance says which of the two is asked for first.

    While an answer waits for its beat the next request is worked on, never while one is at work.
    """
    known = [await door.make_known(client) for _ in range(names)]
    unknown = [await door.make_unknown(client) for _ in range(names)]
    chance, visitors, found = random.Random(seed), Visitors(), []
    for number in range(count):
        if number % (names * ROUND) == 0:
            clock.ahead_ms += RESTED_MS
        both = [(True, known[number % names]), (False, unknown[number % names])]
        chance.shuffle(both)
        pair = {}
        for is_known, name in both:
            pair[is_known] = await _begun(client, door, name, peer=visitors.next())
        found.append((pair[True], pair[False]))
    return [(await one, await other) for one, other in found]


async def _begun(client, door, name, *, peer):
    """The task of a request that waits for its beat, or is over."""
    watch = Watch()
    task = asyncio.create_task(knock(client, door, name, watch, peer=peer))
    resting = asyncio.create_task(watch.is_resting.wait())
    await asyncio.wait([task, resting], return_when=asyncio.FIRST_COMPLETED)
    resting.cancel()
    if task.done():
        task.result()
    return task
