"""ASGI applications as tests call them."""

from __future__ import annotations

import httpx


def client_of(app, *, raising=False):
    """A client whose server errors are answers, or are raised as a server would log them."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=raising), base_url="https://notes.test"
    )


async def shake_hands(app, path, *, headers, extensions=("websocket.http.response",)):
    """What ``app`` sends to whoever opens a WebSocket."""
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "wss",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
        "subprotocols": [],
        "server": ("notes.test", 443),
        "client": ("127.0.0.1", 1),
        "state": {},
        "extensions": {name: {} for name in extensions},
    }
    await app(scope, receive, send)
    return sent
