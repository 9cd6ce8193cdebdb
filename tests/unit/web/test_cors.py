from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse

from service.web.cors import Cors
from service.web.edge import edge_middleware

LISTED = "https://app.example.com"


def cors(app):
    return Cors(app, allowed_origins=[LISTED], public_paths=frozenset({"/jwks"}))


async def test_a_listed_origin_may_read_with_credentials(call, hello):
    answer, _ = await call(cors(hello), headers=[("Origin", LISTED)])
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert {"Retry-After", "X-Request-Id"} <= set(answer.headers["access-control-expose-headers"].split(", "))
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "*",
        LISTED + ".evil.example",
        LISTED + "/",
        "http://app.example.com",
        "x" + LISTED,
    ],
)
async def test_cors_reflection_an_unlisted_origin_is_never_named(origin, call, hello):
    answer, _ = await call(cors(hello), headers=[("Origin", origin)])
    assert "access-control-allow-origin" not in answer.headers
    preflight = [("Origin", origin), ("Access-Control-Request-Method", "POST")]
    answer, _ = await call(cors(hello), method="OPTIONS", headers=preflight)
    assert answer.status == 400
    assert "access-control-allow-origin" not in answer.headers


async def test_a_listed_origin_may_send_our_header_and_nothing_unknown(call, hello):
    ask = [("Origin", LISTED), ("Access-Control-Request-Method", "POST")]
    for names, status in (("content-type, x-keyturn-request, authorization", 200), ("x-other", 400)):
        answer, _ = await call(cors(hello), method="OPTIONS", headers=[*ask, ("Access-Control-Request-Headers", names)])
        assert answer.status == status


@pytest.mark.parametrize("origin", [LISTED, "https://anyone.example"])
async def test_public_paths_are_readable_from_anywhere_without_credentials(origin, call, hello):
    answer, _ = await call(cors(hello), path="/jwks", headers=[("Origin", origin)])
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["*", "null", LISTED + "/"])
def test_an_unsafe_origin_is_refused_when_the_middleware_is_built(origin, hello, entropy):
    with pytest.raises(ValueError, match="not an origin"):
        Cors(hello, allowed_origins=[origin])
    with pytest.raises(ValueError, match="not an origin"):
        edge_middleware(entropy=entropy, base_url="https://a.example", allowed_origins=[origin])


@pytest.mark.parametrize("vary", [[], ["Cookie"], ["Cookie", "Accept"], ["Origin"]])
@pytest.mark.parametrize("path", ["/", "/jwks"])
async def test_a_request_without_an_origin_is_answered_as_starlettes_own_middleware_answers_it(path, vary, call):
    async def app(scope, receive, send):
        answer = PlainTextResponse("x")
        for name in vary:
            answer.headers.append("Vary", name)
        await answer(scope, receive, send)

    ours = cors(app)
    starlettes = ours.public if path == "/jwks" else ours.listed
    answers = [(await call(one, path=path))[0] for one in (ours, starlettes)]
    assert sorted(answers[0].headers.items()) == sorted(answers[1].headers.items())
    assert "Origin" in answers[0].headers["vary"]
