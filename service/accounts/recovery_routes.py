"""Forgotten and changed passwords and addresses over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from service.accounts.change_email import ChangeEmail
from service.accounts.change_password import ChangePassword, changed_meanwhile
from service.accounts.forgot_password import ForgotPassword
from service.accounts.reset_password import ResetPassword
from service.accounts.schemas import (
    AcceptedOut,
    ChangeEmailBody,
    ChangePasswordBody,
    ConfirmCodeBody,
    ConfirmTokenBody,
    ForgotBody,
    ResetBody,
)
from service.accounts.verify_email import refusal
from service.errors import BadRequest, InvalidCredentials, TooManyRequests
from service.kernel.even import EvenAnswers
from service.kernel.secret import Secret
from service.throttle.network import Networks
from service.tokens.guards import Alive
from service.web.problem_docs import BODY, problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["recovery"])
TheNetworks = Annotated[Networks, provided(Networks)]
TheEvenAnswers = Annotated[EvenAnswers, provided(EvenAnswers)]
TheChangeEmail = Annotated[ChangeEmail, provided(ChangeEmail)]


@router.post(
    "/password/forgot",
    status_code=202,
    responses=problem_responses(*BODY, TooManyRequests, 503),
    summary="Ask for a password reset",
)
async def forgot_password(
    body: ForgotBody,
    request: Request,
    flow: Annotated[ForgotPassword, provided(ForgotPassword)],
    networks: TheNetworks,
    even: TheEvenAnswers,
) -> AcceptedOut:
    """The same answer whoever the address belongs to."""
    await even.after(flow(body.email, network=networks.of(request)))
    return AcceptedOut()


@router.post(
    "/password/reset",
    status_code=204,
    responses=problem_responses(*BODY, refusal(), TooManyRequests, 503),
    summary="Set a new password with the link's token or with the code",
)
async def reset_password(
    body: ResetBody, flow: Annotated[ResetPassword, provided(ResetPassword)], even: TheEvenAnswers
) -> None:
    """Ends every session and signs nobody in."""
    new_password = Secret(body.new_password.get_secret_value())
    if body.token is not None:
        await flow.by_token(Secret(body.token.get_secret_value()), new_password)
    elif body.email is not None and body.code is not None:
        by_code = flow.by_code(body.email, Secret(body.code.get_secret_value()), new_password)
        await even.refused(by_code, BadRequest)


@router.post(
    "/password/change",
    status_code=204,
    responses=problem_responses(*BODY, 401, InvalidCredentials, changed_meanwhile(), TooManyRequests, 503),
    summary="Change my password",
)
async def change_password(
    body: ChangePasswordBody,
    request: Request,
    caller: Alive,
    flow: Annotated[ChangePassword, provided(ChangePassword)],
    networks: TheNetworks,
) -> None:
    """Every other session ends; this one goes on."""
    await flow(
        caller,
        current=Secret(body.current_password.get_secret_value()),
        new=Secret(body.new_password.get_secret_value()),
        network=networks.of(request),
    )


@router.post(
    "/email/change",
    status_code=202,
    responses=problem_responses(*BODY, 401, InvalidCredentials, TooManyRequests, 503),
    summary="Ask for another e-mail address",
)
async def change_email(
    body: ChangeEmailBody,
    request: Request,
    caller: Alive,
    flow: TheChangeEmail,
    networks: TheNetworks,
    even: TheEvenAnswers,
) -> AcceptedOut:
    """Takes effect when the new address confirms; the old one is told."""
    password = Secret(body.password.get_secret_value())
    await even.after(flow.ask(caller, new_email=body.new_email, password=password, network=networks.of(request)))
    return AcceptedOut()


@router.post(
    "/email/change/confirm",
    status_code=204,
    responses=problem_responses(*BODY, refusal(), TooManyRequests, 503),
    summary="Confirm the new address with the link's token",
)
async def confirm_email_change(body: ConfirmTokenBody, flow: TheChangeEmail) -> None:
    """Single use; the latest only. Nobody is signed in by it."""
    await flow.confirm_by_token(Secret(body.token.get_secret_value()))


@router.post(
    "/email/change/confirm-code",
    status_code=204,
    responses=problem_responses(*BODY, refusal(), 401, TooManyRequests, 503),
    summary="Confirm my new address with the code",
)
async def confirm_email_change_by_code(body: ConfirmCodeBody, caller: Alive, flow: TheChangeEmail) -> None:
    """For who is signed in on the device that asked."""
    await flow.confirm_by_code(caller, Secret(body.code.get_secret_value()))
