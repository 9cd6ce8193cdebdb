"""The mails of more than one journey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.accounts.model import SIGN_UP_SECONDS
from service.accounts.pending import PROOF_SECONDS
from service.mail.message import MailKind, MailMessage
from service.tokens.onetime import code_for_reading

if TYPE_CHECKING:
    from service.accounts.model import SignUp
    from service.mail.links import Links
    from service.tokens.onetime import OneTime
    from service.tokens.user_proof import Proof
    from service.users.model import User


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


def reset_mail(proof: Proof, links: Links, *, address: str, locale: str) -> MailMessage:
    """The mail that lets its reader choose a new password."""
    return MailMessage(
        to=address,
        template=MailKind.RESET_PASSWORD,
        values={
            "link": links.reset_password(token=proof.token.reveal()),
            "code": code_for_reading(proof.code.reveal()),
            "expires_minutes": str(PROOF_SECONDS // 60),
        },
        locale=locale,
    )


def change_mail(proof: Proof, links: Links, *, address: str, locale: str) -> MailMessage:
    """The mail to a new address that confirms it."""
    return MailMessage(
        to=address,
        template=MailKind.EMAIL_CHANGE_CONFIRM,
        values={
            "link": links.change_email(token=proof.token.reveal()),
            "code": code_for_reading(proof.code.reveal()),
        },
        locale=locale,
    )


def notice(kind: MailKind, user: User, *, default_locale: str) -> MailMessage:
    """A mail that tells the owner what happened; of a kind without values."""
    return MailMessage(to=user.email or "", template=kind, locale=user.locale or default_locale)
