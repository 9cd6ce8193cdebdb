"""The names of a new account, and the password rules that depend on them: what is refused, by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import FieldError, Invalid
from service.kernel.email import Email, parse_email
from service.kernel.text import NameRefusal
from service.kernel.username import Username, parse_username
from service.passwords.policy import PasswordContext

if TYPE_CHECKING:
    from service.kernel.secret import Secret
    from service.passwords.checker import PasswordChecker


@dataclass(frozen=True, kw_only=True)
class NewNames:
    """An address, and a username where one was chosen."""

    email: Email
    username: Username | None


async def parse_new_account(
    *, email: str, username: str | None, password: Secret[str], checker: PasswordChecker
) -> NewNames:
    """The names, when they and the password may be used.

    Raises Invalid with every reason at once, Unavailable as the checker does.
    """
    parsed_email = parse_email(email)
    parsed_username = None if username is None else parse_username(username)
    errors = []
    if isinstance(parsed_email, NameRefusal):
        errors.append(_of_name("email", parsed_email))
    if isinstance(parsed_username, NameRefusal):
        errors.append(_of_name("username", parsed_username))
    context = PasswordContext(
        email=parsed_email if isinstance(parsed_email, Email) else None,
        username=parsed_username if isinstance(parsed_username, Username) else None,
    )
    errors += [
        FieldError(field="password", code=finding.code, message=finding.message)
        for finding in await checker.check(password, context)
    ]
    if errors or isinstance(parsed_email, NameRefusal) or isinstance(parsed_username, NameRefusal):
        raise Invalid(*errors)
    return NewNames(email=parsed_email, username=parsed_username)


def _of_name(field: str, refusal: NameRefusal) -> FieldError:
    return FieldError(field=field, code=refusal.code, message=refusal.sentence)
