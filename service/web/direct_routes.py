"""Known paths go straight to their routes: FastAPI asks each included router, and each route in it, one after another.

A path without parameters is one entry of a table. Whatever is not in it, other methods and misses too, is FastAPI's to
find or to refuse, so that answers are the same with and without the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.routing import APIRoute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import APIRouter
    from starlette.types import ASGIApp, Receive, Scope, Send


class DirectRoutes:
    """Pure ASGI around a router. Raises ValueError for a path that two routes would answer."""

    def __init__(self, router: ASGIApp, included: Iterable[APIRouter]) -> None:
        self._router = router
        self._routes = _table([route for one in included for route in one.routes if isinstance(route, APIRoute)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request to its route, or to the router."""
        route = None
        if scope["type"] == "http" and not scope.get("root_path"):
            route = self._routes.get((scope["method"], scope["path"]))
        if route is None:
            await self._router(scope, receive, send)
            return
        scope["route"], scope["endpoint"], scope["path_params"] = route, route.endpoint, {}
        await route.app(scope, receive, send)


def _table(routes: list[APIRoute]) -> dict[tuple[str, str], APIRoute]:
    table: dict[tuple[str, str], APIRoute] = {}
    for route in routes:
        if route.param_convertors:
            continue
        for method in route.methods or ():
            also = [one for one in routes if method in (one.methods or ()) and one.path_regex.match(route.path)]
            if also != [route]:
                raise ValueError(f"{method} {route.path} has more than one route")
            table[method, route.path] = route
    return table
