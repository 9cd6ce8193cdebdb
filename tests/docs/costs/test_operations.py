"""The numbers of docs/cost.md, counted by the engine that counts as DynamoDB does."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from tests.docs.costs.journey import NEW, RESTED_SECONDS
from tests.docs.costs.page import DOCUMENTED, DOLLARS, FEED_LINES, LINES, counts_right
from tests.support.people import PASSWORD, bearer, refresh, register, sign_in, sign_up

NOBODY = {"email": "nobody@example.com"}
FROM_MEMORY = (
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/healthz",
)


def operations_of(client, asked):
    """The operations of the API that answer what was ``asked``, as (method, path with its parameters named)."""
    paths = client.app.openapi()["paths"]
    patterns = {path: re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in paths}
    every = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    return every, {
        (method, path)
        for method, path in every
        if any(method == one and patterns[path].fullmatch(at) for one, at in asked)
    }


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
        for path in FROM_MEMORY:
            assert (await client.get(path)).status_code == 200
    async with measure("/readyz"):
        assert (await client.get("/readyz")).status_code == 200
    await leave(client, measure)
    await guess(client, measure)
    assert measure.found == DOCUMENTED
    every, priced = operations_of(client, measure.asked)
    # Its prices stand in a table of their own.
    assert every - priced == {("GET", "/v1/revocations")}


async def leave(client, measure):
    """Eve looks around and closes her account."""
    tokens = await sign_in(client, "eve@example.com")
    me = f"/v1/users/{(await client.get('/v1/me', headers=bearer(tokens))).json()['user_id']}"
    async with measure("look at a user by id"):
        assert (await client.get(me, headers=bearer(tokens))).status_code == 200
    async with measure("list one's events (a page)"):
        assert (await client.get(f"{me}/events", headers=bearer(tokens))).json()["events"]
    async with measure("judge a password"):
        assert (await client.post("/v1/password/check", json={"password": NEW})).status_code == 200
    async with measure("close an account with one session"):
        assert (await client.delete("/v1/me", headers=bearer(tokens))).status_code == 204


async def guess(client, measure):
    """Somebody guesses at a name until they are refused."""
    guess = {"identifier": "mallory@example.com", "password": "wrong horse battery"}
    while (await client.post("/v1/login", json=guess)).status_code == 401:
        continue
    async with measure("sign in, while limited"):
        assert (await client.post("/v1/login", json=guess)).status_code == 429


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
    tokens = await sign_in(client, "bob@example.com")
    wanted["new_email"] = "bobby@example.com"
    assert (await client.post("/v1/email/change", json=wanted, headers=bearer(tokens))).status_code == 202
    code = {"code": await mailbox.code(wanted["new_email"])}
    name, path = "confirm another address with the code", "/v1/email/change/confirm-code"
    await post(name, path, 204, code, headers=bearer(tokens))


def test_each_price_is_that_of_its_units():
    for name, writes, reads, price in LINES + FEED_LINES:
        exact = Decimal(writes) * DOLLARS["writes"] + Decimal(reads) * DOLLARS["reads"]
        assert Decimal(price) == exact.quantize(Decimal("0.01"), ROUND_HALF_UP), name
