"""Register, confirm an address, and close an account over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from service.accounts.close import CloseAccount
from service.accounts.names import parse_new_account
from service.accounts.register import Register, conflict
from service.accounts.repo import Taken
from service.accounts.resend_email import ResendEmail
from service.accounts.rules import SignUpRules
from service.accounts.schemas import AcceptedOut, RegisterBody, RegisteredOut, ResendBody, VerifyBody
from service.accounts.verify_email import VerifyEmail, refusal, taken_meanwhile
from service.errors import StepUpRequired, TooManyRequests
from service.kernel.even import EvenAnswers
from service.kernel.ids import id_text
from service.kernel.secret import Secret
from service.passwords.checker import PasswordChecker
from service.throttle.network import Networks
from service.tokens.guards import RecentlySignedIn
from service.web.problem_docs import BODY, problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["accounts"])
TheNetworks = Annotated[Networks, provided(Networks)]
TheEvenAnswers = Annotated[EvenAnswers, provided(EvenAnswers)]


@router.post(
    "/register",
    status_code=202,
    response_model=AcceptedOut,
    responses={
        201: {"model": RegisteredOut, "description": "With KEYTURN_REGISTRATION=disclose"},
        **problem_responses(*BODY, conflict(Taken.EMAIL), conflict(Taken.USERNAME), TooManyRequests, 503),
    },
    summary="Ask for an account",
)
async def register(
    body: RegisterBody,
    request: Request,
    flow: Annotated[Register, provided(Register)],
    rules: Annotated[SignUpRules, provided(SignUpRules)],
    checker: Annotated[PasswordChecker, provided(PasswordChecker)],
    networks: TheNetworks,
    even: TheEvenAnswers,
) -> AcceptedOut | Response:
    """The account is made when the address is confirmed. The answer is the same for a free and a taken address."""
    password = Secret(body.password.get_secret_value())
    names = await parse_new_account(email=body.email, username=body.username, password=password, checker=checker)
    user_id = await even.after(flow(names, password, locale=rules.locale, network=networks.of(request)))
    if user_id is None:
        return AcceptedOut()
    # As a response: returned as a model it would be read as the model of the other answer, and lose the id.
    made = RegisteredOut(user_id=id_text(user_id))
    return Response(made.model_dump_json(), status_code=201, media_type="application/json")


@router.post(
    "/email/verify",
    status_code=204,
    responses=problem_responses(*BODY, refusal(), taken_meanwhile(), TooManyRequests, 503),
    summary="Confirm an address with the link's token or with the code",
)
async def verify_email(
    body: VerifyBody,
    request: Request,
    flow: Annotated[VerifyEmail, provided(VerifyEmail)],
    networks: TheNetworks,
) -> None:
    """Single use. Nobody is signed in by it."""
    if body.token is not None:
        await flow.by_token(Secret(body.token.get_secret_value()))
    elif body.email is not None and body.code is not None:
        code = Secret(body.code.get_secret_value())
        await flow.by_code(body.email, code, network=networks.of(request))


@router.post(
    "/email/resend",
    status_code=202,
    responses=problem_responses(*BODY, TooManyRequests, 503),
    summary="Ask for the confirmation mail again",
)
async def resend_email(
    body: ResendBody,
    request: Request,
    flow: Annotated[ResendEmail, provided(ResendEmail)],
    networks: TheNetworks,
    even: TheEvenAnswers,
) -> AcceptedOut:
    """The same answer whether or not a sign-up waits."""
    await even.after(flow(body.email, network=networks.of(request)))
    return AcceptedOut()


@router.delete(
    "/me",
    status_code=204,
    responses=problem_responses(401, StepUpRequired, 503),
    summary="Close my account",
)
async def close_me(caller: RecentlySignedIn, flow: Annotated[CloseAccount, provided(CloseAccount)]) -> None:
    """Needs a recent sign-in. Names are free again, personal data is gone, sessions are dead."""
    await flow(caller.user_id, caller.session_id)
