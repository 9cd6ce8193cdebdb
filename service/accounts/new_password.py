"""The policy of a password that replaces another, by the names of the account that it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import FieldError, Invalid
from service.kernel.email import Email, parse_email
from service.kernel.username import Username, parse_username
from service.passwords.policy import PasswordContext

if TYPE_CHECKING:
    from service.kernel.secret import Secret
    from service.passwords.checker import PasswordChecker
    from service.users.model import User


@dataclass(frozen=True, kw_only=True)
class NewPasswords:
    """The same rules as at registration."""

    checker: PasswordChecker

    async def require(self, password: Secret[str], user: User) -> None:
        """Raises Invalid with every reason against ``password`` as the new one of ``user``."""
        email = parse_email(user.email or "")
        username = parse_username(user.username or "", reserved=frozenset())
        context = PasswordContext(
            email=email if isinstance(email, Email) else None,
            username=username if isinstance(username, Username) else None,
        )
        findings = await self.checker.check(password, context)
        if findings:
            raise Invalid(
                *(FieldError(field="new_password", code=found.code, message=found.message) for found in findings)
            )
