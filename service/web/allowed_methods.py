"""The methods that a path has, for the Allow header of a 405 (RFC 9110 sections 10.2.1 and 15.5.6).

Starlette answers with the methods of the first route whose path fits; a path with a route for each method has more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Match

if TYPE_CHECKING:
    from starlette.requests import Request

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def allow_header(request: Request) -> str:
    """Every method that a route of the application takes at this path, in alphabetical order."""
    return ", ".join(method for method in _METHODS if _is_taken(request, method))


def _is_taken(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(dict(scope))[0] is Match.FULL for route in request.app.routes)
