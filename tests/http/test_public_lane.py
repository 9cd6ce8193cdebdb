"""The public documents at the door: the same answers as by the way through everything, and only sooner."""

from __future__ import annotations

import pytest

from service.errors import Unavailable
from service.tokens.keyring import KeyRing
from service.tokens.public_lane import PublicLane
from service.tokens.routes import JWKS_PATH, PUBLIC_PATHS
from tests.support.asgi import scope_of

REQUESTS = {
    "plain": {},
    "of a browser": {"headers": {"Origin": "https://anyone.example"}},
    "with what is known": {"headers": {"If-None-Match": "{etag}"}},
    "with several that are known": {"headers": {"If-None-Match": 'W/"a", {etag}'}},
    "with what is not known": {"headers": {"If-None-Match": '"other"'}},
    "with a query": {"params": {"token": "x"}},
    "with an empty query": {"params": {"": ""}},
    "with a body": {"content": b"{}"},
    "HEAD": {"method": "HEAD"},
    "POST": {"method": "POST"},
    "preflight": {
        "method": "OPTIONS",
        "headers": {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"},
    },
    "with a large head": {"headers": {"X-Much": "x" * 17_000}},
    "with two hosts": {"headers": [("Host", "a"), ("Host", "b")]},
}


async def ask(client, path, etag, *, method="GET", headers=(), **rest):
    lines = headers.items() if isinstance(headers, dict) else headers
    filled = [(name, text.replace("{etag}", etag)) for name, text in lines]
    answer = await client.request(method, path, headers=filled, **rest)
    headers = sorted((name, text) for name, text in answer.headers.multi_items() if name != "x-request-id")
    return answer.status_code, headers, answer.content, len(answer.headers["x-request-id"])


@pytest.fixture
def passed_by(monkeypatch):
    """How many requests the lane has answered; and how to close it."""

    class Watch:
        answered = 0

        def close(self):
            async def none(*_):
                return None

            monkeypatch.setattr(PublicLane, "_answer_to", none)

    watch, real = Watch(), PublicLane._answer_to

    async def counted(self, scope):
        made = await real(self, scope)
        watch.answered += made is not None
        return made

    monkeypatch.setattr(PublicLane, "_answer_to", counted)
    return watch


@pytest.mark.parametrize("path", sorted(PUBLIC_PATHS))
async def test_each_request_has_the_answer_that_it_has_without_the_lane(client, passed_by, path):
    etag = (await client.get(path)).headers["etag"]
    at_the_door = {name: await ask(client, path, etag, **request) for name, request in REQUESTS.items()}
    # The one above, and the four that are plain.
    assert passed_by.answered == 1 + 4
    passed_by.close()
    assert at_the_door == {name: await ask(client, path, etag, **request) for name, request in REQUESTS.items()}
    assert at_the_door["with what is known"][0] == 304


async def test_a_key_that_is_new_is_served_at_the_next_request(client, clock):
    keyring = client.app.state.services.get(KeyRing)
    before = await client.get(JWKS_PATH)
    await keyring.rotate(begins_ms=clock.now_ms())
    after = await client.get(JWKS_PATH)
    assert len(after.json()["keys"]) == len(before.json()["keys"]) + 1
    assert after.headers["etag"] != before.headers["etag"]
    assert int(after.headers["content-length"]) == len(after.content)


async def test_while_the_keys_cannot_be_read_the_answer_is_a_problem_as_ever(client, monkeypatch):
    async def away(_self):
        raise Unavailable("away")

    monkeypatch.setattr(KeyRing, "jwks", away)
    answer = await client.get(JWKS_PATH)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


async def test_no_two_answers_share_a_request_id(client):
    ids = [(await client.get(JWKS_PATH)).headers["x-request-id"] for _ in range(5)]
    assert len(set(ids)) == 5


async def body_sent(app, path, *headers):
    """The very object that the server is handed as the body."""
    bodies = []

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        else:
            bodies.append(message["body"])

    await app(scope_of(path, *headers, host="localhost:8000"), receive, send)
    (body,) = bodies
    return body


@pytest.mark.parametrize("path", sorted(PUBLIC_PATHS))
async def test_the_bytes_are_made_once_for_all_who_ask_at_the_door_or_by_the_way_through_everything(client, path):
    bodies = [await body_sent(client.app, path) for _ in range(2)]
    bodies += [await body_sent(client.app, path, (b"origin", b"https://anyone.example")) for _ in range(2)]
    assert len(bodies[0]) > 50
    assert all(body is bodies[0] for body in bodies)


@pytest.mark.parametrize("path", sorted(PUBLIC_PATHS))
async def test_the_headers_at_the_door_are_made_once_for_the_same_bytes(client, monkeypatch, path):
    made, real = [], PublicLane._make

    def counted(self, path, document):
        made.append(path)
        return real(self, path, document)

    monkeypatch.setattr(PublicLane, "_make", counted)
    for _ in range(3):
        assert (await client.get(path)).status_code == 200
    assert made == [path]
