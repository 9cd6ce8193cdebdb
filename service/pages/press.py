"""The button was pressed: read the form, spend the token, and show what came of it.

There is no CSRF token. The mailed token is the proof, nothing that a browser adds by itself (a cookie) counts, and so
whoever could forge this request could as well send it. An Origin check would find ``null``: pages that send no referrer
send no origin with their forms either (Fetch section 3.2).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never

import structlog

from service.errors import BadRequest, Conflict, Invalid, KeyturnError, TooManyRequests, Unavailable
from service.kernel.secret import Secret
from service.pages.book import Journey, Told
from service.pages.form import check_form_type, is_token, parse_form

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import Request
    from fastapi.responses import HTMLResponse

    from service.pages.visit import Visit

    Spend = Callable[[Secret[str], dict[str, str]], Awaitable[None]]

_log = structlog.get_logger("keyturn.pages")


async def press(request: Request, visit: Visit, journey: Journey, spend: Spend, *fields: str) -> HTMLResponse:
    """Answer a form of ``token`` and ``fields``; ``spend`` gets the token and all fields.

    Every refusal that the flows know is a page. What they do not know goes on to the edge, which logs it.
    """
    try:
        form = await _form(request, frozenset(("token", *fields)))
    except KeyturnError as error:
        _tell_log(journey, error)
        return visit.tell(Told.NOT_UNDERSTOOD, status=error.status)
    token = form["token"]
    if not is_token(token):
        return visit.tell(Told.DEAD_LINK, status=HTTPStatus.BAD_REQUEST)
    try:
        await spend(Secret(token), form)
    except (Invalid, Unavailable, TooManyRequests, Conflict, BadRequest) as error:
        _tell_log(journey, error)
        return _refusal(visit, journey, token, error)
    return visit.done(journey)


def _refusal(
    visit: Visit,
    journey: Journey,
    token: str,
    error: Invalid | Unavailable | TooManyRequests | Conflict | BadRequest,
) -> HTMLResponse:
    match error:
        case Invalid(errors=errors):
            return visit.ask_for_password(token, status=error.status, errors=errors)
        case Unavailable() | TooManyRequests():
            return visit.ask(journey, token, status=error.status, busy=True, headers=error.headers())
        case Conflict():
            return visit.tell(Told.USERNAME_TAKEN, status=error.status)
        case BadRequest():
            return visit.tell(Told.DEAD_LINK, status=error.status)
        case _:
            assert_never(error)


async def _form(request: Request, names: frozenset[str]) -> dict[str, str]:
    if request.url.query:
        # The form has none; a token here would stand in somebody's log.
        raise BadRequest("query")
    check_form_type(request.headers.getlist("content-type"), request.headers.getlist("content-encoding"))
    return parse_form(await request.body(), names=names)


def _tell_log(journey: Journey, error: KeyturnError) -> None:
    level = _log.warning if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else _log.info
    level("refused", page=journey.value, problem=error.code, status=error.status, detail=error.detail_for_log)
