"""The key set and the metadata: public, cacheable, and only what works."""

from __future__ import annotations

import pytest

from service.tokens.keyring import KeyRing
from tests.support.answers import is_problem

JWKS = "/.well-known/jwks.json"
METADATA = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
every = pytest.mark.parametrize("path", [JWKS, *METADATA])


async def test_the_key_set_has_the_signing_key_and_nothing_private(client):
    answer = await client.get(JWKS)
    signer = await client.app.state.services.get(KeyRing).signer()
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"keys"}
    for key in answer.json()["keys"]:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert signer.kid in {key["kid"] for key in answer.json()["keys"]}


@pytest.mark.parametrize("path", METADATA)
async def test_the_metadata_lists_only_what_works(client, path):
    answer = await client.get(path)
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document["issuer"] == "http://localhost:8000"
    urls = {name: value for name, value in document.items() if name.endswith(("_uri", "_endpoint"))}
    assert urls == {"jwks_uri": "http://localhost:8000/.well-known/jwks.json"}
    assert document["grant_types_supported"] == []
    for url in urls.values():
        assert (await client.get(url)).status_code == 200


@every
async def test_anybody_may_read_and_cache_it(client, path):
    headers = (await client.get(path, headers={"Origin": "https://anywhere.example"})).headers
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["cache-control"] == "public, max-age=300"
    assert "set-cookie" not in headers


@every
async def test_who_has_it_already_is_told_so(client, path):
    first = await client.get(path)
    etag = first.headers["etag"]
    for value in (etag, f"W/{etag}", f'"other", {etag}'):
        answer = await client.get(path, headers={"If-None-Match": value})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "public, max-age=300"
    for value in ('"other"', ""):
        assert (await client.get(path, headers={"If-None-Match": value})).status_code == 200


@every
async def test_a_token_changes_nothing(client, tokens, path):
    plain = await client.get(path)
    assert (await client.get(path, headers={"Authorization": "Bearer garbage"})).content == plain.content


@every
async def test_nothing_but_reading_is_there(client, path):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = await client.request(method, path)
        assert is_problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET"


async def test_the_host_header_does_not_reach_the_metadata(client):
    answer = await client.get(METADATA[0], headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.text
