"""Problems in OpenAPI: each route names the errors that it can answer with, and openapi.yaml shows them all."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from keyturn.challenge import bearer_challenge
from service.errors import (
    BadRequest,
    Conflict,
    FieldError,
    InsufficientScope,
    Invalid,
    KeyturnError,
    NotFound,
    PayloadTooLarge,
    StepUpRequired,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from service.web.problems import MEDIA_TYPE, problem_body
from service.web.validation import MESSAGES, field_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

SCHEMA_NAME = "Problem"

BODY: tuple[int, ...] = (400, 413, 415, 422)
"""What any route that takes a body may answer with."""

_BY_STATUS: dict[int, tuple[type[KeyturnError], ...]] = {
    400: (BadRequest,),
    401: (Unauthenticated,),
    403: (InsufficientScope,),
    404: (NotFound,),
    409: (Conflict,),
    413: (PayloadTooLarge,),
    415: (UnsupportedMediaType,),
    422: (Invalid,),
    429: (TooManyRequests,),
    500: (KeyturnError,),
    503: (Unavailable,),
}

_HEADERS: dict[type[KeyturnError], str] = {
    Unauthenticated: "WWW-Authenticate",
    StepUpRequired: "WWW-Authenticate",
    InsufficientScope: "WWW-Authenticate",
    TooManyRequests: "Retry-After",
    Unavailable: "Retry-After",
}

_FORMS: dict[str, dict[str, str]] = {
    "WWW-Authenticate": {"type": "string", "pattern": f"^{bearer_challenge()}(, |$)"},
    "Retry-After": {"type": "string"},
}

_SEVERAL: dict[object, tuple[str, ...]] = {
    Unauthenticated: ("missing_token", "invalid_token"),
    BadRequest: ("invalid_request", "malformed_json"),
}

Kind = type[KeyturnError] | KeyturnError | int

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": SCHEMA_NAME,
    "description": "RFC 9457. `code` is stable; `errors` is there for code `invalid_fields`.",
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string", "examples": sorted(MESSAGES)},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def problem_responses(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route, one example for each code.

    ``kinds`` are error classes, instances where the code is one of the route's own, or statuses where the usual error
    of that status is meant. Raises ``KeyError`` for a status that has none.
    """
    found: dict[int | str, dict[str, Any]] = {}
    for error in _errors(kinds):
        kind = error if isinstance(error, type) else type(error)
        entry = found.setdefault(error.status, _empty(error.status))
        for example in _bodies(error):
            entry["content"][MEDIA_TYPE]["examples"][example["code"]] = {"value": example}
        if kind in _HEADERS:
            entry.setdefault("headers", {})[_HEADERS[kind]] = {"schema": dict(_FORMS[_HEADERS[kind]])}
    return found


def install_schema(app: FastAPI, *, never_limited: frozenset[str] = frozenset()) -> None:
    """Put the schema of a problem into ``app.openapi()`` and take out FastAPI's own, which no route answers with.

    ``never_limited`` are the paths that no coarse limit stands in front of.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas[SCHEMA_NAME] = PROBLEM_SCHEMA
        _replace_default_422(document)
        _add_strict_query(document)
        _add_coarse_limits(document, never_limited)
        _leave_null_bodies_out(document)
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _errors(kinds: tuple[Kind, ...]) -> Iterator[type[KeyturnError] | KeyturnError]:
    for kind in kinds:
        if isinstance(kind, int):
            yield from _BY_STATUS[kind]
        else:
            yield kind


def _empty(status: int) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{SCHEMA_NAME}"}
    return {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": schema, "examples": {}}},
    }


def _bodies(error: type[KeyturnError] | KeyturnError) -> Iterator[dict[str, Any]]:
    errors: tuple[FieldError, ...] = (field_error("name", "missing"),) if error is Invalid else ()
    for code in _SEVERAL.get(error, (error.code,)):
        yield problem_body(status=error.status, code=code, title=error.title, errors=errors)


def _replace_default_422(document: dict[str, Any]) -> None:
    ours = problem_responses(Invalid)[422]
    for path in document.get("paths", {}).values():
        for operation in path.values():
            responses = operation.get("responses", {}) if isinstance(operation, dict) else {}
            if "application/json" in responses.get("422", {}).get("content", {}):
                responses["422"] = ours


def _add_strict_query(document: dict[str, Any]) -> None:
    """Every route refuses a query that is broken, and a parameter that it does not know (``strict_query``)."""
    for path in document.get("paths", {}).values():
        for operation in path.values():
            for status, ours in problem_responses(BadRequest(), Invalid).items():
                theirs = operation.setdefault("responses", {}).setdefault(str(status), _empty(int(status)))
                theirs["content"][MEDIA_TYPE]["examples"].update(ours["content"][MEDIA_TYPE]["examples"])


def _add_coarse_limits(document: dict[str, Any], never_limited: frozenset[str]) -> None:
    """Every route answers a network that sends too much with 429 (``service.throttle.coarse``)."""
    for name, path in document.get("paths", {}).items():
        for operation in path.values() if name not in never_limited else ():
            for status, ours in problem_responses(TooManyRequests).items():
                operation["responses"].setdefault(str(status), ours)


def _leave_null_bodies_out(document: dict[str, Any]) -> None:
    """A body that may be left out is still an object when it is there; FastAPI would document ``null`` for it."""
    for path in document.get("paths", {}).values():
        for operation in path.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                kinds = [kind for kind in content["schema"].get("anyOf", []) if kind != {"type": "null"}]
                if len(kinds) == 1:
                    content["schema"] = kinds[0]
