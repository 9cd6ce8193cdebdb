"""The application, read from the top: what it is made of, in which order a request meets it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

import service.accounts.export_routes
import service.accounts.recovery_routes
import service.accounts.routes
import service.ops.routes
import service.pages.routes
import service.passwords.routes
import service.revocations.routes
import service.sessions.routes
import service.signin.routes
import service.tokens.routes
import service.users.events.routes
import service.users.routes
from service.base import open_base
from service.kernel.clock import SystemClock
from service.kernel.entropy import SystemEntropy
from service.telemetry.event_loop import watched_loop
from service.telemetry.tracing import OFF
from service.throttle.coarse import NEVER_LIMITED
from service.tokens.public_lane import PublicLane
from service.web import problem_docs, problems
from service.web.direct_routes import DirectRoutes
from service.web.edge import edge_middleware
from service.wiring.build import build
from service.wiring.throttle import coarse_limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi import APIRouter

    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.settings import Settings
    from service.telemetry.metrics import Metrics
    from service.telemetry.tracing import Tracing

ROUTERS: tuple[APIRouter, ...] = (
    service.accounts.routes.router,
    service.accounts.recovery_routes.router,
    service.accounts.export_routes.router,
    service.passwords.routes.router,
    service.signin.routes.router,
    service.sessions.routes.router,
    service.users.routes.router,
    service.users.events.routes.router,
    service.tokens.routes.router,
    service.revocations.routes.router,
    service.ops.routes.router,
    service.pages.routes.router,
)


def create_app(
    settings: Settings,
    metrics: Metrics,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    tracing: Tracing = OFF,
    on_ready: Callable[[], None] | None = None,
) -> FastAPI:
    """The ASGI application; it opens the store when it starts, and finishes what is under way when it stops.

    ``on_ready`` is called once everything is built and before the first request.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opening = open_base(settings, metrics, clock=clock, entropy=entropy, tracing=tracing)
        async with opening as base, build(base) as services:
            app.state.services = services
            if on_ready is not None:
                on_ready()
            with watched_loop(metrics):
                yield
        tracing.close()

    app = FastAPI(
        title="Keyturn",
        version="1",
        summary="Authentication on DynamoDB",
        lifespan=lifespan,
        redirect_slashes=False,
        # Spans are ours to make (web/request_spans): of a request they hold what we chose and nothing else.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        openapi_url="/openapi.json" if settings.is_dev else None,
        # Its page needs scripts from elsewhere, which our content security policy refuses.
        docs_url=None,
        redoc_url=None,
        middleware=edge_middleware(
            entropy=entropy or SystemEntropy(),
            base_url=settings.issuer,
            allowed_origins=settings.allowed_origins,
            public_paths=service.tokens.routes.PUBLIC_PATHS,
            body_limit_bytes=settings.body_limit_bytes,
            trusted_proxies=settings.trusted_proxies,
            tracing=tracing,
        ),
    )
    lane = Middleware(
        PublicLane,
        entropy=entropy or SystemEntropy(),
        https=settings.issuer.startswith("https:"),
        is_on=not tracing.is_on,
    )
    app.user_middleware.insert(0, lane)
    # The innermost of all: what it refuses costs nothing more, and its answer has every header of the edge.
    app.user_middleware.extend(coarse_limits(settings, clock or SystemClock(), metrics))
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.router.middleware_stack = DirectRoutes(app.router.middleware_stack, ROUTERS)
    problem_docs.install_schema(app, never_limited=NEVER_LIMITED)
    return app
