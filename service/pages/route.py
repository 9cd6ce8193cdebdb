"""The route class of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute

from service.web.strict_route import StrictRoute

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Request
    from starlette.responses import Response


class PageRoute(StrictRoute):
    """Strict in a way of its own: the query and the form are read by ``service.pages.form``.

    A JSON route refuses a token in its query, with a problem. A mailed link has no other place for it, and a person
    reads the answer.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler: the routes declare neither a query nor a body that it could read leniently."""
        return APIRoute.get_route_handler(self)
