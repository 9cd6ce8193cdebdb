"""The numbers of docs/cost.md, counted by the engine that counts as DynamoDB does."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import asynccontextmanager
from decimal import ROUND_HALF_UP, Decimal

import pytest

from service.accounts.forgot_password import ForgotPassword
from service.engines.registry import choose
from service.revocations.model import BUCKET_SECONDS
from service.tokens.keyring import KeyRing
from service.users.repo import UserRepo
from tests.docs.markdown import ROOT
from tests.support.feed import FEED_KEY, FEED_KEYS
from tests.support.people import PASSWORD, bearer, refresh, register, sign_in, sign_up

_ROW = re.compile(r"^\| ([^|]+?) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)
_DOLLARS = {"writes": Decimal("0.625"), "reads": Decimal("0.125")}
SINGLE_WRITES = {"put_item", "update_item", "delete_item"}
_PRICES, _, SUMS = (ROOT / "docs/cost.md").read_text("utf-8").partition("## A thousand monthly users")
_TEXT, _, _BESIDE_A_FEED = _PRICES.partition("## Beside a revocation feed")
_LINES, _FEED_LINES = _ROW.findall(_TEXT), _ROW.findall(_BESIDE_A_FEED)
DOLLARS_PER_MILLION = {name: dollars for name, _, _, dollars in _LINES}
DOCUMENTED = {name: (float(writes), float(reads)) for name, writes, reads, _ in _LINES}
BESIDE_A_FEED = {name: (float(writes), float(reads)) for name, writes, reads, _ in _FEED_LINES}
RESTED_SECONDS = 900
"""After this the last mails to an address and from a network are forgotten."""
NOBODY = {"email": "nobody@example.com"}
NEW = "a wholly different long sentence"

counts_right = pytest.mark.skipif(choose("auto").name != "dynoxide", reason="the other engines count units wrongly")


@pytest.fixture
def feed_keys():
    """No revocation feed."""
    return ""


@pytest.fixture
def environ(environ, feed_keys):
    """As it is run: attempts are counted, and mails bounded."""
    return {**environ, "KEYTURN_THROTTLE": "on", "KEYTURN_REVOCATION_FEED_KEYS": feed_keys}


@pytest.fixture
def settled(client):
    """Waits until the mails have left and the events are written: what an answer has caused is part of its price."""
    flow = client.app.state.services.get(ForgotPassword)

    async def wait():
        while under_way := flow.outbox._tasks | flow.audit.table._tasks:
            await asyncio.wait(under_way)

    return wait


@pytest.fixture
def spent(client):
    """What the store has consumed since it was asked last, as (write units, read units).

    DynamoDB takes one unit for a refused write of a small item and does not say so in its answer. Looking for letters
    that other processes left is done four times a minute, whatever the load, and is no part of any.
    """
    meter = client.app.state.services.get(UserRepo).dynamo.meter
    before = Counter()

    def since():
        now = Counter()
        for counter, operations in ((meter.store_units, None), (meter.store_failures, SINGLE_WRITES)):
            for sample in counter.collect()[0].samples:
                operation = sample.labels["operation"]
                if (operation, sample.labels["table"]) == ("query", "outbox"):
                    continue
                if sample.name.endswith("_total") and (operations is None or operation in operations):
                    is_write = operation in SINGLE_WRITES or operation == "transact_write_items"
                    now["writes" if is_write else "reads"] += sample.value
        spent = (now["writes"] - before["writes"], now["reads"] - before["reads"])
        before.update(now - before)
        return spent

    return since


@pytest.fixture
def measure(client, clock, spent, settled):
    """Units of each step by its name: ``async with measure(name): ...``; ``seconds`` pass before it."""
    found = {}

    @asynccontextmanager
    async def step(name, *, seconds=0):
        clock.advance(seconds=seconds)
        # The signing keys are read beside a request twice a minute, whatever the load, and are no part of any.
        await client.app.state.services.get(KeyRing).refresh()
        await settled()
        spent()
        yield
        await settled()
        found[name] = spent()

    step.found = found
    return step


@counts_right
async def test_each_operation_costs_what_the_document_says(client, mailbox, measure, clock):
    who = {"identifier": "ada@example.com", "password": PASSWORD}
    async with measure("register"):
        assert (await register(client, who["identifier"])).status_code == 202
    await mailbox.wait(who["identifier"])
    async with measure("resend the mail", seconds=RESTED_SECONDS):
        await client.post("/v1/email/resend", json={"email": who["identifier"]})
    token = await mailbox.token(who["identifier"], count=2)
    async with measure("confirm the address"):
        assert (await client.post("/v1/email/verify", json={"token": token})).status_code == 204
    async with measure("register a taken address", seconds=RESTED_SECONDS):
        assert (await register(client, who["identifier"])).status_code == 202
    await sign_up(client, mailbox, "bob@example.com", username="bob")
    async with measure("register with a username", seconds=RESTED_SECONDS):
        assert (await register(client, "eve@example.com", username="eve")).status_code == 202
    token = await mailbox.token("eve@example.com")
    async with measure("confirm with a username"):
        assert (await client.post("/v1/email/verify", json={"token": token})).status_code == 204

    async with measure("sign in for the first time"):
        assert (await client.post("/v1/login", json=who)).status_code == 200
    async with measure("sign in on a new device"):
        stolen = await sign_in(client)
    async with measure("sign in"):
        await sign_in(client)
    async with measure("sign in, wrong password"):
        assert (await client.post("/v1/login", json=who | {"password": "wrong horse battery"})).status_code == 401
    async with measure("sign in, unknown name"):
        assert (await client.post("/v1/login", json=who | {"identifier": "nobody"})).status_code == 401

    async with measure("refresh"):
        assert (await refresh(client, stolen["refresh_token"])).status_code == 200
    async with measure("refresh again, after a lost answer"):
        current = await refresh(client, stolen["refresh_token"])
    async with measure("refresh before it may rotate"):
        assert (await refresh(client, current.json()["refresh_token"])).json() != current.json()
    async with measure("refresh, reuse found", seconds=120):
        assert (await refresh(client, stolen["refresh_token"])).status_code == 401
    async with measure("refresh, not our token"):
        assert (await refresh(client, stolen["refresh_token"][:-1] + "!")).status_code == 401

    for _ in range(6):
        tokens = await sign_in(client, device_name="A phone with a name of usual length")
    me = f"/v1/users/{(await client.get('/v1/me', headers=bearer(tokens))).json()['user_id']}"
    for name, path in {"who am I": "/v1/me", "list sessions (up to 8)": f"{me}/sessions"}.items():
        async with measure(name):
            assert (await client.get(path, headers=bearer(tokens))).status_code == 200
    async with measure("export, a page of 9 sessions and 14 events"):
        page = (await client.get("/v1/me/export", headers=bearer(tokens))).json()
    assert (len(page["sessions"]), len(page["events"])) == (9, 14)
    ended = f"{me}/sessions/{(await sign_in(client))['session_id']}"
    async with measure("end a session"):
        assert (await client.delete(ended, headers=bearer(tokens))).status_code == 204
    async with measure("change the profile"):
        assert (await client.patch("/v1/me", json={"locale": "de"}, headers=bearer(tokens))).status_code == 200
    await recover(client, mailbox, measure, tokens, clock)
    tokens = await sign_in(client, "new@example.com")
    async with measure("log out"):
        assert (await client.post("/v1/logout", json={"refresh_token": tokens["refresh_token"]})).status_code == 204
    tokens = await sign_in(client, "new@example.com")
    async with measure("log out everywhere"):
        assert (await client.post("/v1/logout-all", headers=bearer(tokens))).status_code == 204
    async with measure("key set, metadata, /healthz"):
        for path in ("/.well-known/jwks.json", "/.well-known/openid-configuration", "/healthz"):
            assert (await client.get(path)).status_code == 200
    assert measure.found == DOCUMENTED


async def recover(client, mailbox, measure, tokens, clock):
    """Ada forgets her password, resets it, changes it and her address; her password and session are as before."""

    async def post(name, path, status, body, *, headers=None, seconds=0):
        async with measure(name, seconds=seconds):
            assert (await client.post(path, json=body, headers=headers)).status_code == status, name

    before = len(mailbox.all("ada@example.com"))
    change = {"current_password": PASSWORD, "new_password": NEW}
    await post("change the password", "/v1/password/change", 204, change, headers=bearer(tokens))
    await post("forgot", "/v1/password/forgot", 202, {"email": "ada@example.com"}, seconds=RESTED_SECONDS)
    await post("forgot, unknown address", "/v1/password/forgot", 202, NOBODY, seconds=RESTED_SECONDS)
    token = await mailbox.token("ada@example.com", count=before + 2)
    await post("reset with the link", "/v1/password/reset", 204, {"token": token, "new_password": PASSWORD})
    await client.post("/v1/password/forgot", json={"email": "ada@example.com"})
    code = await mailbox.code("ada@example.com", count=before + 4)
    proof = {"email": "ada@example.com", "code": code}
    await post("reset, wrong code", "/v1/password/reset", 400, {**proof, "code": "22222222", "new_password": PASSWORD})
    await post("reset with the code", "/v1/password/reset", 204, {**proof, "new_password": PASSWORD})
    clock.advance(seconds=RESTED_SECONDS)
    tokens = await sign_in(client)
    wanted = {"new_email": "new@example.com", "password": PASSWORD}
    await post("ask for another address", "/v1/email/change", 202, wanted, headers=bearer(tokens))
    token = await mailbox.token("new@example.com")
    await post("confirm another address", "/v1/email/change/confirm", 204, {"token": token})


@counts_right
@pytest.mark.parametrize("feed_keys", [FEED_KEYS])
async def test_beside_a_revocation_feed_what_ends_something_costs_more_and_nothing_else(
    client, mailbox, measure, clock
):
    await sign_up(client, mailbox)
    # The first two have their own prices.
    await sign_in(client)
    await sign_in(client)
    async with measure("sign in"):
        tokens = await sign_in(client)
    async with measure("refresh"):
        assert (await refresh(client, tokens["refresh_token"])).status_code == 200
    async with measure("refresh, reuse found", seconds=120):
        assert (await refresh(client, tokens["refresh_token"])).status_code == 401
    tokens = await sign_in(client)
    async with measure("log out"):
        assert (await client.post("/v1/logout", json={"refresh_token": tokens["refresh_token"]})).status_code == 204
    async with measure("log out again"):
        assert (await client.post("/v1/logout", json={"refresh_token": tokens["refresh_token"]})).status_code == 204
    tokens, other = await sign_in(client), await sign_in(client)
    me = f"/v1/users/{(await client.get('/v1/me', headers=bearer(tokens))).json()['user_id']}"
    async with measure("end a session"):
        path = f"{me}/sessions/{other['session_id']}"
        assert (await client.delete(path, headers=bearer(tokens))).status_code == 204
    change = {"current_password": PASSWORD, "new_password": NEW}
    async with measure("change the password"):
        assert (await client.post("/v1/password/change", json=change, headers=bearer(tokens))).status_code == 204
    before = len(mailbox.all("ada@example.com"))
    clock.advance(seconds=RESTED_SECONDS)
    await client.post("/v1/password/forgot", json={"email": "ada@example.com"})
    reset = {"token": await mailbox.token("ada@example.com", count=before + 1), "new_password": PASSWORD}
    async with measure("reset with the link"):
        assert (await client.post("/v1/password/reset", json=reset)).status_code == 204
    tokens = await sign_in(client)
    async with measure("log out everywhere"):
        assert (await client.post("/v1/logout-all", headers=bearer(tokens))).status_code == 204
    await poll(client, measure, clock)
    assert measure.found == BESIDE_A_FEED


async def poll(client, measure, clock):
    """In the middle of a bucket: for eighteen seconds of its ten minutes two are read."""
    clock.advance(seconds=BUCKET_SECONDS - clock.ms // 1000 % BUCKET_SECONDS + BUCKET_SECONDS / 2)
    ask = {"url": "/v1/revocations", "headers": {"Authorization": f"Bearer {FEED_KEY}"}}
    await client.get(**ask)
    async with measure("poll the feed, the first in a second", seconds=1):
        assert (await client.get(**ask)).status_code == 200
    async with measure("poll the feed, all others in that second"):
        for _ in range(20):
            assert (await client.get(**ask)).status_code == 200


def test_each_price_is_that_of_its_units():
    for name, writes, reads, price in _LINES + _FEED_LINES:
        exact = Decimal(writes) * _DOLLARS["writes"] + Decimal(reads) * _DOLLARS["reads"]
        assert Decimal(price) == exact.quantize(Decimal("0.01"), ROUND_HALF_UP), name
