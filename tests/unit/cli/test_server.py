from __future__ import annotations

import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.cli.server import server_config


async def app(scope, receive, send):
    """Never called."""


def test_the_server_runs_on_uvloop_and_httptools_and_loads_nothing_that_is_not_used():
    config = server_config(app, host="127.0.0.1", port=0)
    config.load()
    loop = config.get_loop_factory()()
    assert isinstance(loop, uvloop.Loop)
    loop.close()
    assert issubclass(config.http_protocol_class, HttpToolsProtocol)
    assert config.ws_protocol_class is None
    assert config.access_log is False
    assert config.loaded_app is app


def test_the_server_tells_nothing_of_itself_and_trusts_no_header_about_the_client():
    config = server_config(app, host="127.0.0.1", port=0)
    config.load()
    assert config.encoded_headers == []
    assert config.proxy_headers is False
