"""Coarse limits per route, in front of everything that costs: slowapi, in this process or shared through Redis.

They know nothing of accounts and outcomes. They bound what one network may send at all, so that hashing, the store and
the mail cannot be flooded from a few places; they need not be exact, and the lanes of the limiter do not rely on them.

slowapi's decorators would stand on our routes and change their signatures, and its middleware counts by path, of which
a client may invent as many as it likes. So each rule is a small function that slowapi guards, and this middleware calls
the one that the path belongs to. When Redis is away slowapi counts in this process: coarser, never unlimited.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request
from starlette.responses import Response

from service.errors import TooManyRequests
from service.web.client_ip import prefix
from service.web.problems import response_for
from service.web.request_address import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

IN_PROCESS = "memory://"
_REDIS_TIMEOUT_SECONDS = 0.25

DEFAULT_RATES: Mapping[str, str] = {
    "/v1/login": "300/minute",
    "/v1/register": "120/minute",
    "/v1/email/resend": "120/minute",
    "/v1/email/verify": "240/minute",
    "/v1/email/change": "120/minute",
    "/v1/password/forgot": "120/minute",
    "/v1/password/reset": "240/minute",
    "/v1/password/change": "120/minute",
    "/v1/password/check": "600/minute",
    "/v1/me/export": "240/minute",
    "/email/verify": "240/minute",
    "/email/change": "240/minute",
    "/password/reset": "240/minute",
    "/v1/refresh": "6000/minute",
    # A thousand guards behind one address, each every other second.
    "/v1/revocations": "30000/minute",
}
"""By exact path, for each client network. One address may stand for an office, so they are far above one person's."""

DEFAULT_REST = "12000/minute"
"""All other paths together."""


@dataclass(frozen=True, kw_only=True)
class CoarseRules:
    """What is counted and where. ``storage_url`` is ``memory://`` or that of a Redis; ``exempt`` are probes' paths.

    ``trusted_proxies`` is ``KEYTURN_TRUSTED_PROXIES``.
    """

    trusted_proxies: int
    storage_url: str = IN_PROCESS
    rates: Mapping[str, str] = field(default_factory=lambda: DEFAULT_RATES)
    rest: str = DEFAULT_REST
    exempt: frozenset[str] = frozenset({"/healthz", "/readyz"})


class CoarseLimits:
    """Pure ASGI. Answers 429 with Retry-After once a client's network has used up a route's rate.

    Raises ValueError, ConfigurationError of ``limits`` for a rate or storage that cannot be read, when it is made.
    """

    def __init__(self, app: ASGIApp, rules: CoarseRules) -> None:
        self.app = app
        self.rules = rules
        self._limiter = _limiter(rules)
        self._passages = {path: _passage(self._limiter, path, rate) for path, rate in rules.rates.items()}
        self._rest = _passage(self._limiter, "rest", rules.rest)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass one request."""
        if scope["type"] == "http" and scope["path"] not in self.rules.exempt:
            try:
                # slowapi notes there that this request was counted; a state that requests share must not hear it.
                await self._count(Request({**scope, "state": {}}))
            except RateLimitExceeded as refusal:
                await response_for(_refusal(refusal))(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _count(self, request: Request) -> None:
        passage = self._passages.get(request.scope["path"], self._rest)
        if self.rules.storage_url == IN_PROCESS:
            passage(request)
        else:
            # The storages of slowapi block; on the loop, one slow answer would hold up every other request.
            await asyncio.to_thread(passage, request)


def _limiter(rules: CoarseRules) -> Limiter:
    timeouts: dict[str, Any] = {
        "socket_timeout": _REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": _REDIS_TIMEOUT_SECONDS,
    }
    in_process = rules.storage_url == IN_PROCESS

    def network_of(request: Request) -> str:
        return prefix(address_of(request, trusted_proxies=rules.trusted_proxies))

    limiter = Limiter(
        key_func=network_of,
        strategy="fixed-window",
        storage_uri=rules.storage_url,
        storage_options={} if in_process else timeouts,
        key_prefix="keyturn",
        in_memory_fallback_enabled=True,
    )
    # slowapi reads RATELIMIT_ENABLED from the environment and from a file .env, neither of which are settings of ours.
    limiter.enabled = True
    # Its warning carries the client's address, at the pace of the attack.
    limiter.logger.setLevel("ERROR")
    return limiter


def _passage(limiter: Limiter, name: str, rate: str) -> Callable[[Request], Response]:
    def passage(request: Request) -> Response:  # noqa: ARG001
        return Response()

    # slowapi keeps limits by a function's name: two of one name would share theirs.
    passage.__name__ = name
    guarded: Callable[[Request], Response] = limiter.shared_limit(rate, scope=name)(passage)
    return guarded


def _refusal(refusal: RateLimitExceeded) -> TooManyRequests:
    window_seconds = 60 if refusal.limit is None else refusal.limit.limit.get_expiry()
    return TooManyRequests("coarse limit", retry_after_seconds=window_seconds)
