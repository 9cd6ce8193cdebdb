from __future__ import annotations

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse


class CountingEntropy:
    def __init__(self) -> None:
        self.calls = 0

    def token_bytes(self, size_bytes: int) -> bytes:
        self.calls += 1
        return bytes([self.calls]) * size_bytes


class Answer:
    def __init__(self, messages):
        self.messages = messages
        starts = [m for m in messages if m["type"] == "http.response.start"]
        assert len(starts) <= 1
        self.status = starts[0]["status"] if starts else None
        self.headers = Headers(raw=starts[0]["headers"]) if starts else Headers()
        self.body = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")


async def _call(app, *, path="/", method="GET", headers=(), chunks=(b"",), kind="http"):
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "path": path, "method": method, "headers": raw, "query_string": b""}
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": n + 1 < len(chunks)} for n, chunk in enumerate(chunks)
    ]
    sent = []

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return Answer(sent), scope


async def _hello(scope, receive, send):
    await PlainTextResponse("hello")(scope, receive, send)


async def _read_all(scope, receive, send):
    size = 0
    while True:
        message = await receive()
        size += len(message["body"])
        if not message["more_body"]:
            break
    await PlainTextResponse(str(size))(scope, receive, send)


@pytest.fixture
def entropy():
    return CountingEntropy()


@pytest.fixture
def call():
    """Run an application once: ``await call(app, path=..., headers=[...], chunks=[...])`` gives (Answer, scope)."""
    return _call


@pytest.fixture
def hello():
    return _hello


@pytest.fixture
def read_all():
    return _read_all
