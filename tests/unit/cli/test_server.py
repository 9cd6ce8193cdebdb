"""What ``keyturn serve`` runs on: the fast loop and the fast parser, or nothing."""

from __future__ import annotations

import asyncio
import sys

import pytest
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.cli.server import Announcing, server_config


async def _nothing(scope, receive, send):
    """An application that is never asked."""


def test_the_server_runs_on_uvloop_and_reads_requests_with_httptools(capsys):
    loops = []

    async def app(scope, receive, send):
        assert (await receive())["type"] == "lifespan.startup"
        loops.append(asyncio.get_running_loop())
        server.should_exit = True
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        await send({"type": "lifespan.shutdown.complete"})

    config = server_config(app, host="127.0.0.1", port=0)
    server = Announcing(config, greeting=["It answers."])
    server.run()
    assert [type(loop) for loop in loops] == [uvloop.Loop]
    assert issubclass(config.http_protocol_class, HttpToolsProtocol)
    assert capsys.readouterr().out == "It answers.\n"


def test_where_uvloop_is_missing_no_slower_loop_takes_its_place_unsaid(monkeypatch):
    monkeypatch.delitem(sys.modules, "uvicorn.loops.uvloop", raising=False)
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(ImportError):
        server_config(_nothing, host="127.0.0.1", port=0).get_loop_factory()
