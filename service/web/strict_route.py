"""The route class of every JSON route: body and query are read strictly before FastAPI looks at them.

The body is read here rather than in ``Request.json`` alone, because FastAPI turns whatever is raised in there into a
plain 400 that has lost its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute
from starlette.requests import Request

from service.web.provide import bound
from service.web.strict_json import check_content_type, parse_json
from service.web.strict_query import check_query, declared_names

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.responses import Response

_UNREAD = object()


class StrictRequest(Request):
    """A request whose ``json()`` is strict, whoever calls it."""

    _strict_json: Any = _UNREAD

    async def json(self) -> Any:
        """The body's value; raises ``UnsupportedMediaType`` or ``BadRequest`` (see ``parse_json``)."""
        if self._strict_json is _UNREAD:
            body = await self.body()
            check_content_type(self.headers.getlist("content-type"), self.headers.getlist("content-encoding"))
            self._strict_json = parse_json(body)
        return self._strict_json


class StrictRoute(APIRoute):
    """``APIRouter(route_class=StrictRoute)``.

    An empty body is left to the route's own model: it is 422 ``missing`` where the body is needed and None where it
    is optional. Query parameters must be declared by the route or its dependencies, not where it is included.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, bound(endpoint), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind the strict readers."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None
        declared = declared_names(self.dependant)

        async def strict_handle(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            check_query(strict.scope["query_string"], declared)
            if takes_body and await strict.body():
                await strict.json()
            return await handle(strict)

        return strict_handle
