"""A form asks about a password before it is sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from service.kernel.email import Email, parse_email
from service.kernel.secret import Secret
from service.kernel.username import Username, parse_username
from service.passwords.checker import PasswordChecker
from service.passwords.policy import PasswordContext
from service.passwords.schemas import CheckBody, CheckOut, ReasonOut
from service.web.problem_docs import BODY, problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["passwords"])


@router.post("/password/check", responses=problem_responses(*BODY, 503), summary="May this password be set?")
async def check_password(body: CheckBody, checker: Annotated[PasswordChecker, provided(PasswordChecker)]) -> CheckOut:
    """The same rules as where a password is set. Nothing is kept, and whether the names have an account is not read."""
    context = _context(body.email, body.username)
    assessment = await checker.assess(Secret(body.password.get_secret_value()), context)
    reasons = [ReasonOut(code=finding.code, message=finding.message) for finding in assessment.findings]
    return CheckOut(ok=assessment.ok, reasons=reasons, score=assessment.score)


def _context(email: str | None, username: str | None) -> PasswordContext:
    """The names that can be read. Half-typed ones are no reason to refuse: they are checked where they are used."""
    parsed_email = None if email is None else parse_email(email)
    parsed_username = None if username is None else parse_username(username)
    return PasswordContext(
        email=parsed_email if isinstance(parsed_email, Email) else None,
        username=parsed_username if isinstance(parsed_username, Username) else None,
    )
