"""A client with no network: it calls the application and stops the watch when the last octet of the answer is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from time import perf_counter, process_time

_OF_EACH_ANSWER = {b"x-request-id", b"date"}


@dataclass(frozen=True)
class Answered:
    """What a client sees, and when, by the wall; ``cpu_began`` is by the processor time of this process."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    began: float
    cpu_began: float
    ended: float

    @property
    def seen(self):
        """Everything but the time, and what differs between any two answers."""
        told = tuple(header for header in self.headers if header[0].lower() not in _OF_EACH_ANSWER)
        return self.status, told, self.body


async def post(app, path, body, *, peer="127.0.0.1"):
    """The answer to a JSON body from ``peer``. The application may go on after it, and is waited for."""
    payload = json.dumps(body).encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "client": (peer, 50000), "server": ("127.0.0.1", 8000), "state": {},
        "headers": [
            (b"host", b"localhost:8000"), (b"content-type", b"application/json"),
            (b"content-length", str(len(payload)).encode()),
        ],
    }  # fmt: skip
    sent, ends = [], []

    async def receive():
        return {"type": "http.request", "body": payload, "more_body": False}

    async def send(message):
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            ends.append(perf_counter())

    began, cpu_began = perf_counter(), process_time()
    await app(scope, receive, send)
    start = sent[0]
    return Answered(
        status=start["status"],
        headers=tuple(sorted(map(tuple, start["headers"]))),
        body=b"".join(message.get("body", b"") for message in sent[1:]),
        began=began,
        cpu_began=cpu_began,
        ended=ends[0],
    )
