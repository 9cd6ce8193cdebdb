"""What an owner looks at, changes, and closes."""

from __future__ import annotations

from tests.support.journeys.stage import Journey, signed_by
from tests.support.people import bearer, refresh, sign_in


async def _can_sign_in(stage, _, done):
    await sign_in(stage.again, stage.email)


def _looking(path):
    async def prepare(stage):
        tokens = await stage.signed_up()
        # Two sessions, so that a page can be cut short.
        await sign_in(stage.again, stage.email)
        user_id = await stage.user_id(tokens)
        return signed_by(tokens, "GET", path.format(user_id=user_id), 200), None

    return prepare


async def _renaming(stage):
    tokens = await stage.signed_up()
    return signed_by(tokens, "PATCH", "/v1/me", 200, {"display_name": "Ada Lovelace"}), tokens


async def _is_renamed_or_can_be(stage, tokens, done):
    if not done:
        body = {"display_name": "Ada Lovelace"}
        assert (await stage.again.patch("/v1/me", json=body, headers=bearer(tokens))).status_code == 200
    me = await stage.again.get("/v1/me", headers=bearer(tokens))
    assert me.json()["display_name"] == "Ada Lovelace"


async def _closing(stage):
    tokens = await stage.signed_up()
    return signed_by(tokens, "DELETE", "/v1/me", 204), tokens


async def _is_closed_or_can_be(stage, tokens, done):
    if not done and (await refresh(stage.again, tokens["refresh_token"])).status_code == 200:
        assert (await stage.again.delete("/v1/me", headers=bearer(tokens))).status_code == 204
    assert not await stage.is_alive(tokens)
    assert await stage.guards_refuse(tokens)
    await stage.make_account()
    assert (await stage.again.get("/v1/me", headers=bearer(tokens))).status_code == 401


RENAME = Journey("rename me", _renaming, _is_renamed_or_can_be)
CLOSE = Journey("close", _closing, _is_closed_or_can_be)
ACCOUNT = [
    Journey("look at me", _looking("/v1/me"), _can_sign_in),
    Journey("look at my sessions", _looking("/v1/users/{user_id}/sessions"), _can_sign_in),
    Journey("look at my events", _looking("/v1/users/{user_id}/events"), _can_sign_in),
    Journey("look at my user", _looking("/v1/users/{user_id}"), _can_sign_in),
    Journey("export", _looking("/v1/me/export"), _can_sign_in),
    RENAME,
    CLOSE,
]
