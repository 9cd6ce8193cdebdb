"""The doors that must not tell who has an account, and how somebody is known at each."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.accounts import make_person
from tests.support.people import PASSWORD, register
from tests.timing.caller import post

if TYPE_CHECKING:
    from collections.abc import Callable


def new_address():
    """Nobody's address; all are equally long."""
    return f"p{uuid.uuid4().hex[:12]}@example.com"


async def with_account(client):
    return (await make_person(client)).email


async def with_sign_up(client):
    """Somebody who has registered and not confirmed: at resend, that is who is known."""
    email = new_address()
    assert (await register(client, email)).status_code == 202
    return email


@dataclass(frozen=True)
class Door:
    path: str
    body: Callable
    make_known: Callable = with_account


DOORS = {
    "register": Door("/v1/register", lambda email: {"email": email, "password": PASSWORD}),
    "sign in": Door("/v1/login", lambda email: {"identifier": email, "password": "wrong horse battery staple"}),
    "forgot": Door("/v1/password/forgot", lambda email: {"email": email}),
    "resend": Door("/v1/email/resend", lambda email: {"email": email}, with_sign_up),
}


@dataclass(frozen=True)
class Sample:
    """One request: what was seen, and how it came about."""

    seen: tuple
    work_ms: float
    work_cpu_ms: float
    calls_before: tuple
    answer_ms: float
    after_ms: float


async def knock(client, door, email, *, clock, calls, settled, peer="127.0.0.1"):
    """One request. ``work`` ends where the wait for the beat begins; ``after`` is from there to the last octet."""
    calls.clear()
    clock.waits.clear()
    clock.ends.clear()
    answered = await post(client.app, door.path, door.body(email), peer=peer)
    assert len(clock.waits) == 1, "the answer waits for its beat, once"
    wall, cpu, rest, before = clock.waits[0]
    await settled()
    return Sample(
        seen=answered.seen,
        work_ms=(wall - answered.began) * 1000,
        work_cpu_ms=(cpu - answered.cpu_began) * 1000,
        calls_before=before,
        answer_ms=(wall - answered.began + rest) * 1000,
        after_ms=(answered.ended - clock.ends[0]) * 1000,
    )


async def interleaved(client, door, *, count, known, seed=1, **tools):
    """``count`` requests of each kind in random order: the samples of the known, and of the unknown."""
    people = [await door.make_known(client) for _ in range(known)]
    order = [True, False] * count
    random.Random(seed).shuffle(order)
    found = {True: [], False: []}
    for is_known in order:
        email = people[len(found[True]) % known] if is_known else new_address()
        found[is_known].append(await knock(client, door, email, **tools))
    return found[True], found[False]
