"""An answer is made once: of one model, whose bytes are written without its objects being walked in Python again."""

from __future__ import annotations

import fastapi.encoders
import fastapi.routing
import pytest
from pydantic import BaseModel, TypeAdapter
from starlette.responses import JSONResponse

from service.settings import load
from tests.support.accounts import new_name
from tests.support.people import bearer, refresh, register, sign_in


@pytest.fixture
def made(monkeypatch):
    """The names of the models that were made by hand, in their order."""
    names, real = [], BaseModel.__init__

    def counted(self, /, **fields):
        names.append(type(self).__name__)
        real(self, **fields)

    monkeypatch.setattr(BaseModel, "__init__", counted)
    return names


@pytest.fixture
def walked(monkeypatch):
    """The names of what walked objects to make other objects, or text, of them in Python."""
    names = []

    def watch(owner, name):
        real = getattr(owner, name)

        def counted(*args, **options):
            names.append(name)
            return real(*args, **options)

        monkeypatch.setattr(owner, name, counted)

    watch(fastapi.routing, "jsonable_encoder")
    watch(fastapi.encoders, "jsonable_encoder")
    watch(JSONResponse, "render")
    watch(BaseModel, "model_dump")
    watch(TypeAdapter, "dump_python")
    return names


async def test_signing_in_refreshing_and_asking_who_one_is_make_one_model_each_and_its_bytes(client, ada, made, walked):
    tokens = await sign_in(client, ada.email)
    assert (await refresh(client, tokens["refresh_token"])).status_code == 200
    me = await client.get("/v1/me", headers=bearer(tokens))
    assert (me.status_code, me.json()["email"]) == (200, ada.email)
    assert made == ["TokensOut", "TokensOut", "MeOut"]
    assert walked == []


@pytest.fixture
async def disclosing(environ, open_app, watch):
    async with open_app(load({**environ, "KEYTURN_REGISTRATION": "disclose"})) as client:
        yield watch(client)


async def test_so_does_a_sign_up_that_tells_its_id(disclosing, made, walked):
    answer = await register(disclosing, f"{new_name()}@example.com")
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    assert len(answer.json()["user_id"]) == 36
    assert made == ["RegisteredOut"]
    assert walked == []
