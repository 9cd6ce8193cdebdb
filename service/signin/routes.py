"""Sign in over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from service.errors import CrossSite, InvalidCredentials, TooManyRequests
from service.kernel.even import EvenAnswers
from service.kernel.secret import Secret
from service.sessions.schemas import TokensOut
from service.sessions.transport import Transport
from service.signin.device import DeviceReader
from service.signin.flows import SignIn
from service.signin.schemas import LoginBody
from service.throttle.device_headers import device_header
from service.web.links_docs import LOG_OUT, REFRESH, linked
from service.web.problem_docs import BODY, problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["sign-in"])


@router.post(
    "/login",
    response_model_exclude_none=True,
    responses={
        **linked(Refresh=REFRESH, LogOut=LOG_OUT),
        **problem_responses(*BODY, InvalidCredentials, CrossSite, TooManyRequests, 503),
    },
    summary="Sign in with an e-mail address or a username and a password",
)
async def login(
    body: LoginBody,
    request: Request,
    response: Response,
    flow: Annotated[SignIn, provided(SignIn)],
    transport: Annotated[Transport, provided(Transport)],
    devices: Annotated[DeviceReader, provided(DeviceReader)],
    even: Annotated[EvenAnswers, provided(EvenAnswers)],
) -> TokensOut:
    """One answer, in bytes and in time, for an unknown name, a wrong password and an account that may not sign in."""
    by_cookie = body.transport == "cookie"
    if by_cookie:
        # Otherwise another site could sign a visitor in to an account of its own (login CSRF).
        transport.check_site(request)
    signing_in = flow(
        identifier=body.identifier,
        password=Secret(body.password.get_secret_value()),
        device=devices.read(request, name=body.device_name),
        origin=devices.origin(request, by_cookie=by_cookie),
    )
    signed_in = await even.refused(signing_in, InvalidCredentials)
    response.headers.append(*device_header(signed_in.device_token, by_cookie=by_cookie))
    return transport.answer(response, signed_in.tokens, by_cookie=by_cookie)
