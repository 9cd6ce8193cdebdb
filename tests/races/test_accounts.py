"""Writes to one account that come at once: an upgraded hash, an account that closes while its name is wanted."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from service.kernel.ids import parse_user_id
from service.passwords.repo import SORT, PasswordRepo
from service.store.table import Table
from tests.support.live import client_of, items_of, profiles
from tests.support.people import PASSWORD, bearer, refresh, sign_in, sign_up
from tests.support.wire import open_wires

EMAIL = "ada@example.com"
AT_ONCE = 40
ROUNDS = 8


async def stored_hashes(store):
    return [item["ph"]["S"] for item in await items_of(store, Table.USERS) if item["sk"]["S"] == SORT]


async def test_sign_ins_at_once_upgrade_a_weak_hash_and_all_succeed(store, workers, mailbox):
    weak = await workers.start()
    async with client_of(weak) as client:
        await sign_up(client, mailbox, EMAIL)
    strong = [await workers.start(KEYTURN_ARGON2_MEMORY_KIB="64") for _ in range(2)]
    body = {"identifier": EMAIL, "password": PASSWORD}
    async with open_wires([worker.url for worker in strong], AT_ONCE) as wires:
        answers = await asyncio.gather(*(wire.insist("/v1/login", body) for wire in wires))
        assert {answer.status for answer in answers} == {200}
        (upgraded,) = await stored_hashes(store)
        assert "$m=64,t=1,p=1$" in upgraded
        assert (await wires[0].insist("/v1/login", body)).status == 200
    assert await stored_hashes(store) == [upgraded], "a hash of today's cost is left alone"


async def test_of_upgrades_at_once_one_is_written(store, workers, mailbox):
    async with client_of(await workers.start()) as client:
        await sign_up(client, mailbox, EMAIL)
        user_id = (await client.get("/v1/me", headers=bearer(await sign_in(client)))).json()["user_id"]
    (old,) = await stored_hashes(store)
    repo, owner = PasswordRepo(dynamo=store.dynamo), parse_user_id(user_id)
    names = [f"hash {number}" for number in range(AT_ONCE)]
    written = await asyncio.gather(*(repo.upgrade(owner, old_hash=old, new_hash=name) for name in names))
    assert await stored_hashes(store) == [name for name, done in zip(names, written, strict=True) if done]


@pytest.fixture
def discloses(environ):
    environ["KEYTURN_REGISTRATION"] = "disclose"


@pytest.mark.usefixtures("discloses")
async def test_an_address_that_is_given_up_and_wanted_at_once_is_one_accounts_at_most(store, workers, mailbox):
    two = [await workers.start() for _ in range(2)]
    mails, outcomes = 0, Counter()
    body = {"email": EMAIL, "password": PASSWORD}
    async with client_of(two[0]) as client, open_wires([worker.url for worker in two], AT_ONCE) as wires:
        assert (await client.post("/v1/register", json=body)).status_code == 201
        for _ in range(ROUNDS):
            mails += 1
            token = await mailbox.token(EMAIL, count=mails)
            assert (await client.post("/v1/email/verify", json={"token": token})).status_code == 204
            tokens = await sign_in(client, EMAIL)
            closing = asyncio.create_task(client.delete("/v1/me", headers=bearer(tokens)))
            answers = await asyncio.gather(*(wire.insist("/v1/register", body) for wire in wires))
            assert (await closing).status_code == 204
            won = Counter(answer.status for answer in answers)
            assert set(won) <= {201, 409}
            assert won[201] <= 1
            outcomes += won
            if not won[201]:
                assert (await client.post("/v1/register", json=body)).status_code == 201
            assert (await refresh(client, tokens["refresh_token"])).status_code == 401
            assert (await client.get("/v1/me", headers=bearer(tokens))).status_code == 401
    assert outcomes[201] > 0, "no registration came in between"
    assert Counter(item["st"]["S"] for item in await profiles(store)) == {"deleted": ROUNDS}
    assert len(await items_of(store, Table.IDENTITIES)) == 1
