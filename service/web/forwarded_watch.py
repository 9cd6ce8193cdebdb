"""Says once that the count of trusted proxies does not fit the requests that arrive.

A wrong count shows nowhere else: with too few, all clients are one network and share its limits; with too many, so are
those whose entries are missing. Whoever sends the header may cause the line, so it is written once and says no value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_log = structlog.get_logger("keyturn.edge")

_HEADER = b"x-forwarded-for"
_PROBES = frozenset({"/healthz", "/readyz"})
"""A balancer asks these for itself, on behalf of nobody."""
_SETTING = "KEYTURN_TRUSTED_PROXIES"


class ForwardedWatch:
    """Pure ASGI, inside ``RequestIds``. ``trusted_proxies`` is ``KEYTURN_TRUSTED_PROXIES``."""

    def __init__(self, app: ASGIApp, *, trusted_proxies: int) -> None:
        self.app = app
        self.trusted_proxies = trusted_proxies
        self._told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at one request until something was said."""
        if not self._told and scope["type"] == "http" and scope["path"] not in _PROBES:
            self._look(scope)
        await self.app(scope, receive, send)

    def _look(self, scope: Scope) -> None:
        lines = [value for name, value in scope["headers"] if name == _HEADER]
        entries = len(b",".join(lines).split(b",")) if lines else 0
        if self.trusted_proxies == 0 and entries > 0:
            self._told = True
            _log.warning(
                "forwarded_for_is_ignored",
                setting=_SETTING,
                cure="if a proxy of yours sends X-Forwarded-For, set the count; if none stands in front, ignore this",
            )
        elif entries < self.trusted_proxies:
            self._told = True
            _log.warning(
                "forwarded_for_is_too_short",
                setting=_SETTING,
                cure="the count is too high, or somebody reaches this service around the proxies",
            )
