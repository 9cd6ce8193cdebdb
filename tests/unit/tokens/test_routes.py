from __future__ import annotations

import json

import httpx
import pytest
from fastapi import FastAPI

from service.tokens.metadata import Metadata
from service.tokens.routes import JWKS_PATH, OAUTH_METADATA_PATH, OPENID_METADATA_PATH, PUBLIC_PATHS, router
from service.web.problems import install
from service.web.provide import Services

ISSUER = "https://auth.example.com"
METADATA = Metadata.of(issuer=ISSUER)


@pytest.fixture
async def client(make_ring):
    app = FastAPI()
    install(app)
    app.include_router(router)
    app.state.services = Services(make_ring(), METADATA)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def test_the_metadata_names_the_issuer_and_only_what_works():
    assert json.loads(METADATA.body) == {
        "issuer": ISSUER,
        "jwks_uri": ISSUER + JWKS_PATH,
        "response_types_supported": [],
        "grant_types_supported": [],
        "subject_types_supported": ["public"],
    }
    assert METADATA.etag != Metadata.of(issuer="https://other.example").etag


async def test_the_key_set_is_public_and_cacheable_and_holds_the_key_that_signs(client, table):
    answer = await client.get(JWKS_PATH)
    (record,) = table.records.values()
    assert [key["kid"] for key in answer.json()["keys"]] == [record.kid]
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", sorted(PUBLIC_PATHS))
async def test_who_has_the_document_is_not_sent_it_again(client, path):
    first = await client.get(path)
    again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = await client.get(path, headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


@pytest.mark.parametrize("path", [OAUTH_METADATA_PATH, OPENID_METADATA_PATH])
async def test_metadata_stands_where_clients_look_for_it_and_asks_no_store(client, table, path):
    table.away = True
    assert (await client.get(path)).json()["issuer"] == ISSUER


async def test_without_a_store_there_is_no_key_set_to_make_up(client, table):
    table.away = True
    answer = await client.get(JWKS_PATH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
