"""What a token costs in a guard whose keys are known: no I/O, and little beyond the signature."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from benchmarks.guard import measure

RATIO = 2.5
"""0.25 ms beyond an ES256 check of about 0.1 ms; as a ratio, since machines differ and are shared."""


def test_verifying_costs_little_beyond_the_signature():
    for _ in range(5):
        found = measure(rounds=5, calls=100)
        beyond = {name: (seconds - found["signature"]) / found["signature"] for name, seconds in found.items()}
        if max(beyond.values()) < RATIO:
            return
    pytest.fail(str(beyond))


def test_verifying_with_known_keys_opens_no_socket_and_starts_no_thread(live, guard_of, monkeypatch):
    guard = guard_of(live)
    guard.prepare()

    def forbidden(*_args, **_kwargs):
        raise AssertionError("known keys need nothing")

    async def in_a_loop():
        monkeypatch.setattr(socket.socket, "connect", forbidden)
        monkeypatch.setattr(socket.socket, "send", forbidden)
        monkeypatch.setattr(threading.Thread, "start", forbidden)
        flow = guard.verify_async(live.token_for("user"))
        # It runs to its end without once handing control to the loop.
        with pytest.raises(StopIteration) as result:
            flow.send(None)
        return result.value.value

    assert asyncio.run(in_a_loop()).subject == "user"
    assert guard.verify(live.token_for("user")).subject == "user"
