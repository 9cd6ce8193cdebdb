"""The pages that mailed links lead to. GET shows a button and reads nothing: mail scanners follow links, HEAD too.

Only the button's POST spends the token, through the same flows as the JSON API. Nobody is signed in by it (CWE-640).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.accounts.change_email import ChangeEmail
from service.accounts.reset_password import ResetPassword
from service.accounts.verify_email import VerifyEmail
from service.kernel.secret import Secret
from service.pages.book import Journey, Told
from service.pages.form import token_of_query
from service.pages.press import press
from service.pages.route import PageRoute
from service.pages.visit import TheVisit, Visit
from service.web.provide import provided

router = APIRouter(route_class=PageRoute, include_in_schema=False, tags=["pages"])
_LOOK = ["GET", "HEAD"]


@router.api_route("/email/verify", methods=_LOOK, summary="The page to confirm an address")
async def look_verify_email(request: Request, visit: TheVisit) -> HTMLResponse:
    """A button."""
    return _look(request, visit, Journey.VERIFY_EMAIL)


@router.post("/email/verify", summary="Confirm an address, by the page's button")
async def press_verify_email(
    request: Request, visit: TheVisit, flow: Annotated[VerifyEmail, provided(VerifyEmail)]
) -> HTMLResponse:
    """Opens the account."""

    async def spend(token: Secret[str], _form: dict[str, str]) -> None:
        await flow.by_token(token)

    return await press(request, visit, Journey.VERIFY_EMAIL, spend)


@router.api_route("/password/reset", methods=_LOOK, summary="The page to choose a new password")
async def look_reset_password(request: Request, visit: TheVisit) -> HTMLResponse:
    """A form for the new password."""
    return _look(request, visit, Journey.RESET_PASSWORD)


@router.post("/password/reset", summary="Set a new password, by the page's form")
async def press_reset_password(
    request: Request, visit: TheVisit, flow: Annotated[ResetPassword, provided(ResetPassword)]
) -> HTMLResponse:
    """Ends every session."""

    async def spend(token: Secret[str], form: dict[str, str]) -> None:
        await flow.by_token(token, Secret(form["new_password"]))

    return await press(request, visit, Journey.RESET_PASSWORD, spend, "new_password")


@router.api_route("/email/change", methods=_LOOK, summary="The page to confirm a new address")
async def look_change_email(request: Request, visit: TheVisit) -> HTMLResponse:
    """A button."""
    return _look(request, visit, Journey.CHANGE_EMAIL)


@router.post("/email/change", summary="Confirm a new address, by the page's button")
async def press_change_email(
    request: Request, visit: TheVisit, flow: Annotated[ChangeEmail, provided(ChangeEmail)]
) -> HTMLResponse:
    """The new address is the account's from now on."""

    async def spend(token: Secret[str], _form: dict[str, str]) -> None:
        await flow.confirm_by_token(token)

    return await press(request, visit, Journey.CHANGE_EMAIL, spend)


def _look(request: Request, visit: Visit, journey: Journey) -> HTMLResponse:
    token = token_of_query(request.scope["query_string"])
    return visit.tell(Told.DEAD_LINK, status=400) if token is None else visit.ask(journey, token)
