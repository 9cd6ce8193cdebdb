"""Offers a request's address, user agent and id to the events that it causes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from service.telemetry.redaction import redact_text
from service.telemetry.request_facts import RequestFacts, facts_from
from service.web.client_ip import shortened
from service.web.request_address import address_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

USER_AGENT_CHARACTERS = 120


class RequestContext:
    """Pure ASGI, inside ``RequestIds``. ``trusted_proxies`` is ``KEYTURN_TRUSTED_PROXIES``."""

    def __init__(self, app: ASGIApp, *, trusted_proxies: int) -> None:
        self.app = app
        self.trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request with its facts at hand."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with facts_from(_Reader(scope=scope, trusted_proxies=self.trusted_proxies)):
            await self.app(scope, receive, send)


@dataclass(kw_only=True)
class _Reader:
    """Reads once, when somebody asks: most requests that cause one event cause its line and its item."""

    scope: Scope
    trusted_proxies: int
    _facts: RequestFacts | None = None

    def __call__(self) -> RequestFacts:
        if self._facts is None:
            self._facts = self._read()
        return self._facts

    def _read(self) -> RequestFacts:
        connection = HTTPConnection(self.scope)
        return RequestFacts(
            request_id=self.scope.get("state", {}).get("request_id"),
            address=shortened(address_of(connection, trusted_proxies=self.trusted_proxies)),
            user_agent=_presentable(connection.headers.get("user-agent", "")),
        )


def _presentable(user_agent: str) -> str | None:
    """What may be stored and shown. A client may put anything there, a token of ours too."""
    printable = user_agent
    if not user_agent.isprintable():
        printable = "".join(letter for letter in user_agent if letter.isprintable())
    return redact_text(printable)[:USER_AGENT_CHARACTERS].strip() or None
