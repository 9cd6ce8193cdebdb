"""Register, confirm, sign in, refresh, look, log out: the life of a person with one device."""

from __future__ import annotations

from tests.support.people import bearer, refresh, sign_in, sign_up


async def test_a_person_registers_confirms_signs_in_refreshes_and_logs_out(client, mailbox, clock):
    await sign_up(client, mailbox, username="ada")
    tokens = await sign_in(client, "ada")
    me = await client.get("/v1/me", headers=bearer(tokens))
    assert me.json()["email"] == "ada@example.com"

    renewed = (await refresh(client, tokens["refresh_token"])).json()
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert (await refresh(client, tokens["refresh_token"])).json()["refresh_token"] == renewed["refresh_token"]

    out = await client.post("/v1/logout", json={"refresh_token": renewed["refresh_token"]})
    assert out.status_code == 204
    clock.advance(seconds=60)
    assert (await refresh(client, renewed["refresh_token"])).status_code == 401


async def test_a_stolen_token_used_after_rotation_ends_the_session(client, mailbox, clock):
    await sign_up(client, mailbox)
    stolen = (await sign_in(client))["refresh_token"]
    current = (await refresh(client, stolen)).json()["refresh_token"]
    clock.advance(seconds=120)
    assert (await refresh(client, stolen)).status_code == 401
    assert (await refresh(client, current)).status_code == 401
