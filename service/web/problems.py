"""Every error as ``application/problem+json`` (RFC 9457), with nothing of the request in it.

``type`` is ``urn:keyturn:problem:<code>``: an absolute name that is compared and never fetched; ``about:blank`` would
oblige ``title`` to be the phrase of the status. ``title`` is a fixed sentence and ``detail`` is left out, so that no
exception's message can reach a client.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from keyturn.challenge import bearer_challenge
from service.errors import (
    BadRequest,
    Invalid,
    KeyturnError,
    NotFound,
    PayloadTooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from service.web.allowed_methods import allow_header
from service.web.validation import field_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request

    from service.errors import FieldError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:keyturn:problem:"

_log = structlog.get_logger("keyturn.web")

_BY_STATUS: dict[int, tuple[str, str]] = {
    401: ("missing_token", Unauthenticated.title),
    403: ("forbidden", "This is not allowed."),
    404: (NotFound.code, NotFound.title),
    405: ("method_not_allowed", "This method is not allowed here."),
    413: (PayloadTooLarge.code, PayloadTooLarge.title),
    415: (UnsupportedMediaType.code, UnsupportedMediaType.title),
    429: (TooManyRequests.code, TooManyRequests.title),
    503: (Unavailable.code, Unavailable.title),
}


def problem_body(*, status: int, code: str, title: str, errors: Sequence[FieldError] = ()) -> dict[str, Any]:
    """The members of a problem; ``errors`` only where there are some."""
    body: dict[str, Any] = {"type": TYPE_PREFIX + code, "title": title, "status": status, "code": code}
    if errors:
        body["errors"] = [{"field": e.field, "code": e.code, "message": e.message} for e in errors]
    return body


def problem_response(
    *,
    status: int,
    code: str,
    title: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[FieldError] = (),
) -> Response:
    """The answer for a problem: never cached, never sniffed, and a 401 always names its scheme (RFC 9110 15.5.2)."""
    content = json.dumps(problem_body(status=status, code=code, title=title, errors=errors), separators=(",", ":"))
    response = Response(content.encode("ascii"), status_code=status, headers=headers, media_type=MEDIA_TYPE)
    response.headers["Content-Type"] = MEDIA_TYPE
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers.setdefault("WWW-Authenticate", bearer_challenge())
    return response


def response_for(error: Exception) -> Response:
    """The answer for any exception; one that nobody foresaw is a 500 that says nothing more."""
    match error:
        case KeyturnError():
            errors = error.errors if isinstance(error, Invalid) else ()
            return problem_response(
                status=error.status, code=error.code, title=error.title, headers=error.headers(), errors=errors
            )
        case RequestValidationError():
            return response_for(Invalid(*field_errors(error.errors())))
        case HTTPException():
            return _from_http(error)
        case ClientDisconnect():
            return response_for(BadRequest())
        case _:
            return response_for(KeyturnError())


def install(app: Starlette) -> None:
    """Answer every exception of ``app`` with a problem.

    ``UnhandledErrors`` must stand in the middleware too: Starlette's own last handler is outside every middleware and
    shows a traceback when ``debug`` is on. The handler for ``Exception`` here serves only what fails outside of it.
    """
    for kind in (KeyturnError, RequestValidationError, HTTPException, ClientDisconnect):
        app.add_exception_handler(kind, _on_refusal)
    app.add_exception_handler(Exception, on_unhandled)


async def on_unhandled(request: Request, error: Exception) -> Response:
    """Tell the log everything that may be told and the client nothing."""
    request_id = request.scope.get("state", {}).get("request_id")
    _log.error("unhandled_error", request_id=request_id, exc_info=error)
    return response_for(error)


async def _on_refusal(request: Request, error: Exception) -> Response:
    if isinstance(error, KeyturnError):
        level = _log.warning if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else _log.info
        level("refused", problem=error.code, status=error.status, detail=error.detail_for_log)
    response = response_for(error)
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = allow_header(request)
    return response


def _from_http(error: HTTPException) -> Response:
    status = error.status_code
    if status < HTTPStatus.BAD_REQUEST:
        return Response(status_code=status, headers=error.headers)
    fallback = KeyturnError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else BadRequest
    code, title = _BY_STATUS.get(status, (fallback.code, fallback.title))
    return problem_response(status=status, code=code, title=title, headers=error.headers)
