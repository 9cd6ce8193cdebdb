from __future__ import annotations

import dataclasses

import pytest

from service.mail.addresses import AddressRefused
from service.mail.message import REQUIRED_VALUES, MailKind, MailMessage, MailValuesRefused
from service.mail.values import CHECKS

LINK = "https://a.example/email/verify?token=" + "t" * 43
CONFIRM = {"link": LINK, "code": "493817", "expires_minutes": "30"}


def confirm(**changes):
    fields = {"to": "ann@example.com", "template": MailKind.CONFIRM_EMAIL, "values": CONFIRM} | changes
    return MailMessage(**fields)


def test_each_kind_declares_its_values_and_each_value_has_a_check():
    assert set(REQUIRED_VALUES) == set(MailKind)
    assert set().union(*REQUIRED_VALUES.values()) == set(CHECKS)


@pytest.mark.parametrize("missing", sorted(CONFIRM))
def test_a_missing_value_is_refused_by_name(missing):
    values = {name: value for name, value in CONFIRM.items() if name != missing}
    with pytest.raises(MailValuesRefused, match=missing):
        confirm(values=values)


def test_an_unknown_value_is_refused_by_name():
    with pytest.raises(MailValuesRefused, match="surprise"):
        confirm(values={**CONFIRM, "surprise": "x"})


def test_a_kind_without_values_takes_none():
    assert MailMessage(to="ann@example.com", template=MailKind.PASSWORD_CHANGED).values == {}
    with pytest.raises(MailValuesRefused):
        MailMessage(to="ann@example.com", template=MailKind.PASSWORD_CHANGED, values={"link": LINK})


def test_attack_a_line_break_in_a_value_is_refused_and_not_repeated():
    with pytest.raises(MailValuesRefused, match="code") as refusal:
        confirm(values={**CONFIRM, "code": "1234\r\n\r\nsecret"})
    assert "secret" not in str(refusal.value)


def test_attack_two_recipients_are_refused():
    with pytest.raises(AddressRefused):
        confirm(to="ann@example.com, eve@evil.example")


def test_neither_the_address_nor_the_values_are_printed():
    shown = repr(confirm())
    assert "ann@" not in shown
    assert "493817" not in shown
    assert LINK not in shown


def test_a_message_does_not_change_after_it_was_checked():
    values = dict(CONFIRM)
    message = confirm(values=values)
    values["code"] = "bad\r\n"
    assert message.values == CONFIRM
    with pytest.raises(TypeError):
        message.values["code"] = "x"
    with pytest.raises(dataclasses.FrozenInstanceError):
        message.to = "eve@evil.example"
