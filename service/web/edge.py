"""The order of the edge, from the outside in.

1. ``RequestIds``: every answer and every log line has a name, a refused preflight's too.
2. ``RequestSpans``: the time of everything below it.
3. ``ForwardedWatch``: whether the count of proxies fits.
4. ``RequestContext``: where the request came from, for the events that it causes.
5. ``SecurityHeaders``: on every answer, whoever made it.
6. ``Cors``: outside of the errors, so that a listed origin can read them.
7. ``RequestHead``: before the routes and their guards read a header.
8. ``UnhandledErrors``: inside the above, so that a 500 carries their headers.
9. ``BodyLimit``: next to the routes, which are the only readers of bodies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.middleware import Middleware

from service.telemetry.tracing import OFF
from service.web.body_limit import DEFAULT_LIMIT_BYTES, BodyLimit
from service.web.cors import Cors
from service.web.forwarded_watch import ForwardedWatch
from service.web.origins import check_origins
from service.web.request_facts import RequestContext
from service.web.request_head import DEFAULT_HEAD_BYTES, RequestHead
from service.web.request_id import RequestIds
from service.web.request_spans import RequestSpans
from service.web.security_headers import SecurityHeaders
from service.web.unhandled import UnhandledErrors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.kernel.entropy import Entropy
    from service.telemetry.tracing import Tracing


def edge_middleware(
    *,
    entropy: Entropy,
    base_url: str,
    allowed_origins: Iterable[str] = (),
    public_paths: frozenset[str] = frozenset(),
    body_limit_bytes: int = DEFAULT_LIMIT_BYTES,
    head_limit_bytes: int = DEFAULT_HEAD_BYTES,
    trusted_proxies: int = 0,
    tracing: Tracing = OFF,
    trust_client_request_id: bool = False,
) -> list[Middleware]:
    """The ``middleware=`` of the application. Raises ``ValueError`` for an unsafe origin."""
    https = urlsplit(base_url).scheme == "https"
    return [
        Middleware(RequestIds, entropy=entropy, trust_client=trust_client_request_id),
        Middleware(RequestSpans, tracing=tracing),
        Middleware(ForwardedWatch, trusted_proxies=trusted_proxies),
        Middleware(RequestContext, trusted_proxies=trusted_proxies),
        Middleware(SecurityHeaders, https=https, public_paths=public_paths),
        Middleware(Cors, allowed_origins=check_origins(allowed_origins), public_paths=public_paths),
        Middleware(RequestHead, limit_bytes=head_limit_bytes),
        Middleware(UnhandledErrors),
        Middleware(BodyLimit, limit_bytes=body_limit_bytes),
    ]
