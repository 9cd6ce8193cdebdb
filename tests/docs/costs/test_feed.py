"""The numbers of docs/cost.md beside a revocation feed."""

from __future__ import annotations

import pytest

from service.revocations.model import BUCKET_SECONDS
from tests.docs.costs.journey import NEW, RESTED_SECONDS
from tests.docs.costs.page import BESIDE_A_FEED, counts_right
from tests.support.feed import FEED_KEY, FEED_KEYS
from tests.support.people import PASSWORD, bearer, refresh, sign_in, sign_up


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
