"""How uvicorn is run, and the management port beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
import uvicorn
from prometheus_client import CollectorRegistry, start_http_server

from service.cli.bounded_head import BoundedHead
from service.cli.context import fail

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from service.settings import Settings

_GRACEFUL_SECONDS = 20
_BACKLOG = 2048


def server_config(app: Any, *, host: str, port: int, factory: bool = False, workers: int = 1) -> uvicorn.Config:
    """No access log, no ``Server`` header, no WebSockets, and no trust in what a client says of its address.

    The loop and the parser are named: uvicorn would take slower ones without a word where the fast are missing.
    """
    return uvicorn.Config(
        app,
        factory=factory,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=BoundedHead,
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
    )


class Announcing(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, *, greeting: Sequence[str]) -> None:
        super().__init__(config)
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say the greeting once the sockets listen; nothing when the start failed."""
        await super().startup(sockets)
        if self.started:
            for line in self._greeting:
                typer.echo(line)


def start_management(settings: Settings, registry: CollectorRegistry, *, default_port: int) -> str:
    """Serve Prometheus's text on the management port, in a thread of its own, and answer its URL.

    Ends the command when the port cannot be had.
    """
    port = settings.management_port or default_port
    try:
        start_http_server(port, settings.management_host, registry)
    except OSError as error:
        reason = f"{settings.management_host}:{port} cannot be used for metrics ({error.strerror})"
        fail(f"{reason}; choose another with KEYTURN_MANAGEMENT_PORT")
    return f"http://{settings.management_host}:{port}/metrics"
