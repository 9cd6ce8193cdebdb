from __future__ import annotations

import pytest

from service.accounts.mails import change_mail, notice, reset_mail
from service.kernel.ids import UserId
from service.mail.links import Links
from service.mail.message import MailKind
from service.tokens.user_proof import UserProofs
from tests.support.store import CountedEntropy
from tests.unit.users.conftest import make_user

LINKS = Links(base_url="https://auth.example.com")
PROOF = UserProofs(bytes(32), purpose="reset").new(UserId(b"u" * 16), CountedEntropy())
TOKEN, CODE = PROOF.token.reveal(), PROOF.code.reveal()


def test_a_reset_is_mailed_with_its_link_its_code_and_its_life():
    mail = reset_mail(PROOF, LINKS, address="ada@example.com", locale="de")
    assert (mail.to, mail.template, mail.locale) == ("ada@example.com", MailKind.RESET_PASSWORD, "de")
    assert mail.values == {
        "link": f"https://auth.example.com/password/reset?token={TOKEN}",
        "code": f"{CODE[:4]}-{CODE[4:]}",
        "expires_minutes": "30",
    }


def test_a_new_address_is_mailed_its_link_and_its_code():
    mail = change_mail(PROOF, LINKS, address="new@example.com", locale="en")
    assert (mail.to, mail.template) == ("new@example.com", MailKind.EMAIL_CHANGE_CONFIRM)
    assert mail.values == {
        "link": f"https://auth.example.com/email/change?token={TOKEN}",
        "code": f"{CODE[:4]}-{CODE[4:]}",
    }


@pytest.mark.parametrize(("own", "used"), [("de", "de"), (None, "fr"), ("", "fr")])
def test_a_notice_goes_to_the_stored_address_in_the_users_language(own, used):
    mail = notice(MailKind.PASSWORD_CHANGED, make_user(locale=own), default_locale="fr")
    assert (mail.to, mail.locale, dict(mail.values)) == ("ada@example.com", used, {})


def test_a_printed_mail_shows_neither_the_address_nor_the_proof():
    shown = repr(reset_mail(PROOF, LINKS, address="ada@example.com", locale="de"))
    for secret in (TOKEN, CODE, "ada@example.com"):
        assert secret not in shown
