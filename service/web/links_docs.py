"""Links in OpenAPI: what of an answer another operation takes. People read them, and tools follow them."""

from __future__ import annotations

from typing import Any


def link(operation_id: str, *, body: dict[str, str] | None = None, **parameters: str) -> dict[str, Any]:
    """A link to the operation of that id, with runtime expressions (OpenAPI 3.1, section 4.8.20) for what it takes."""
    found: dict[str, Any] = {"operationId": operation_id}
    if parameters:
        found["parameters"] = parameters
    if body is not None:
        found["requestBody"] = body
    return found


def linked(**links: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """For the ``responses=`` of a route: these links, by name, of its answer 200."""
    return {200: {"links": links}}


REFRESH = link("refresh_v1_refresh_post", body={"refresh_token": "$response.body#/refresh_token"})
LOG_OUT = link("logout_v1_logout_post", body={"refresh_token": "$response.body#/refresh_token"})


def of_user(operation_id: str) -> dict[str, Any]:
    """A link to what is asked for by the ``user_id`` of the answer."""
    return link(operation_id, user_id="$response.body#/user_id")
