from __future__ import annotations

from starlette.responses import Response

from service.web.security_headers import DATA_POLICY, HSTS, SecurityHeaders


async def test_a_plain_answer_gets_every_header(call, hello):
    answer, _ = await call(SecurityHeaders(hello, https=True))
    assert {
        name: answer.headers[name] for name in answer.headers if name not in {"content-length", "content-type"}
    } == {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "strict-transport-security": HSTS,
        "content-security-policy": DATA_POLICY,
        "cache-control": "no-store",
        "cross-origin-resource-policy": "same-origin",
    }


async def test_plain_http_promises_no_https(call, hello):
    answer, _ = await call(SecurityHeaders(hello, https=False))
    assert "strict-transport-security" not in answer.headers


async def test_a_route_may_choose_its_cache_and_content_policy_but_not_weaken_the_rest(call):
    async def page(scope, receive, send):
        headers = {
            "Cache-Control": "public, max-age=60",
            "Content-Security-Policy": "default-src 'self'",
            "X-Content-Type-Options": "whatever",
            "Referrer-Policy": "unsafe-url",
            "Server": "secret/1.0",
        }
        await Response(headers=headers)(scope, receive, send)

    answer, _ = await call(SecurityHeaders(page, https=True))
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["content-security-policy"] == "default-src 'self'"
    assert answer.headers.getlist("x-content-type-options") == ["nosniff"]
    assert answer.headers.getlist("referrer-policy") == ["no-referrer"]
    assert "server" not in answer.headers


async def test_public_paths_may_be_embedded_by_any_origin(call, hello):
    app = SecurityHeaders(hello, https=True, public_paths=frozenset({"/jwks"}))
    assert (await call(app, path="/jwks"))[0].headers["cross-origin-resource-policy"] == "cross-origin"
    assert (await call(app, path="/jwks/"))[0].headers["cross-origin-resource-policy"] == "same-origin"
