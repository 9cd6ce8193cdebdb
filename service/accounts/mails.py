"""The mails of more than one journey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.accounts.model import SIGN_UP_SECONDS
from service.mail.message import MailKind, MailMessage
from service.tokens.onetime import code_for_reading

if TYPE_CHECKING:
    from service.accounts.model import SignUp
    from service.mail.links import Links
    from service.tokens.onetime import OneTime


def confirmation(sign_up: SignUp, proof: OneTime, links: Links) -> MailMessage:
    """The mail that proves an address."""
    return MailMessage(
        to=sign_up.email,
        template=MailKind.CONFIRM_EMAIL,
        values={
            "link": links.verify_email(token=proof.token.reveal()),
            "code": code_for_reading(proof.code.reveal()),
            "expires_minutes": str(SIGN_UP_SECONDS // 60),
        },
        locale=sign_up.locale,
    )
