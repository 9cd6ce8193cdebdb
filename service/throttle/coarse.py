"""Coarse limits per route, in front of everything that costs: in this process, or shared through a Redis.

They know nothing of accounts and outcomes. They bound what one network may send at all, so that hashing, the store and
the mail cannot be flooded from a few places; they need not be exact, and the lanes of the limiter do not rely on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import Request

from service.kernel.secret import Secret
from service.throttle.bounded_storage import SCHEME
from service.throttle.passages import Passages
from service.throttle.shared_passages import PATIENCE_SECONDS, SOCKET_SECONDS, SharedPassages
from service.web.client_ip import prefix
from service.web.problems import response_for
from service.web.request_address import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from service.errors import TooManyRequests
    from service.kernel.clock import Clock
    from service.throttle.lanes import LaneKeys

IN_PROCESS = "memory://"

DEFAULT_RATES: Mapping[str, str] = {
    "/v1/login": "300/minute",
    "/v1/register": "120/minute",
    "/v1/email/resend": "120/minute",
    "/v1/email/verify": "240/minute",
    "/v1/email/change": "120/minute",
    "/v1/email/change/confirm": "240/minute",
    "/v1/email/change/confirm-code": "240/minute",
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

REST = "rest"
"""Their name in the metrics."""

NEVER_LIMITED = frozenset({"/healthz", "/readyz"})
"""A balancer asks these, for itself, as often as it likes."""


@dataclass(frozen=True, kw_only=True)
class CoarseRules:
    """What is counted and where. ``storage_url`` is ``memory://`` or that of a Redis; ``exempt`` are probes' paths.

    ``trusted_proxies`` is ``KEYTURN_TRUSTED_PROXIES``. ``keys`` name a network without telling it; ``name`` keeps apart
    the deployments that share a Redis; ``patience_seconds`` is how long a request waits for it.
    """

    trusted_proxies: int
    keys: LaneKeys
    name: str = ""
    storage_url: Secret[str] = field(default_factory=lambda: Secret(IN_PROCESS))
    rates: Mapping[str, str] = field(default_factory=lambda: DEFAULT_RATES)
    rest: str = field(default_factory=lambda: DEFAULT_REST)
    exempt: frozenset[str] = NEVER_LIMITED
    patience_seconds: float = PATIENCE_SECONDS

    def network_of(self, request: Request) -> str:
        """Whose count a request is, in this process."""
        return prefix(address_of(request, trusted_proxies=self.trusted_proxies))

    def name_of(self, request: Request) -> str:
        """Whose count a request is, to a storage elsewhere: it is not told the address."""
        return self.keys.key("coarse", self.network_of(request))


class CoarseLimits:
    """Pure ASGI. Answers 429 with Retry-After once a client's network has used up a route's rate.

    ``refused`` is told of each: the path where it has a rate of its own, ``rest`` for all others.

    Raises ConfigurationError of ``limits`` for a storage that nobody knows, when it is made.
    """

    def __init__(self, app: ASGIApp, rules: CoarseRules, clock: Clock, refused: Callable[[str], None]) -> None:
        self.app = app
        self.rules = rules
        self._refused = refused
        self._own = _passages(rules, rules.network_of, f"{SCHEME}://", {"clock": clock})
        self._shared = None
        if rules.storage_url.reveal() != IN_PROCESS:
            options = {
                "socket_timeout": SOCKET_SECONDS,
                "socket_connect_timeout": SOCKET_SECONDS,
                "wrap_exceptions": True,
            }
            passages = _passages(rules, rules.name_of, rules.storage_url.reveal(), options)
            self._shared = SharedPassages(passages, clock, patience_seconds=rules.patience_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass one request."""
        if scope["type"] == "http" and scope["path"] not in self.rules.exempt:
            refusal = await self._refusal(Request(scope))
            if refusal is not None:
                self._refused(scope["path"] if scope["path"] in self.rules.rates else REST)
                await response_for(refusal)(scope, receive, send)
                return
        try:
            await self.app(scope, receive, send)
        finally:
            if scope["type"] == "lifespan" and self._shared is not None:
                self._shared.close()

    async def _refusal(self, request: Request) -> TooManyRequests | None:
        counted = None if self._shared is None else await self._shared.count(request)
        return self._own.refusal(request) if counted is None else counted.refusal


def _passages(
    rules: CoarseRules, name_of: Callable[[Request], str], storage_url: str, options: Mapping[str, object]
) -> Passages:
    return Passages(
        rates=rules.rates,
        rest=rules.rest,
        name_of=name_of,
        storage_url=storage_url,
        key_prefix=f"keyturn/{rules.name}",
        options=options,
    )
