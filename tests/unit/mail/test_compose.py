from __future__ import annotations

import email
import email.policy
import time
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import service.mail.compose
from service.mail.addresses import AddressRefused
from service.mail.compose import HeaderRefused, compose
from service.mail.message import RenderedMail

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
]
SENT_MS = 1_800_000_000_123


def rendered(**changes):
    fields = {
        "message_id": "ab" * 16,
        "to": "ann@example.com",
        "sender": "no-reply@auth.example",
        "sender_name": "Acme",
        "subject": "Confirm",
        "text": "Hello\n",
        "html": "<p>Hello</p>\n",
    }
    return RenderedMail(**(fields | changes))


def parsed(mail):
    return email.message_from_bytes(mail.data.replace(b"\r\n", b"\n"), policy=email.policy.default)


def test_the_headers_are_ours_and_no_others():
    message = parsed(compose(rendered(), sent_ms=SENT_MS))
    assert message.keys() == HEADERS
    assert message["From"] == "Acme <no-reply@auth.example>"
    assert message["To"] == "ann@example.com"
    assert message["Message-ID"] == f"<{'ab' * 16}@auth.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(message["Date"]).timestamp() == SENT_MS // 1000


def test_text_comes_first_and_html_second():
    message = parsed(compose(rendered(), sent_ms=SENT_MS))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message.get_body(("plain",)).get_content() == "Hello\n"
    assert message.get_body(("html",)).get_content() == "<p>Hello</p>\n"


def test_the_same_mail_gives_the_same_bytes(monkeypatch):
    first = compose(rendered(text="Grüße\n"), sent_ms=SENT_MS)
    monkeypatch.setattr(time, "time", lambda: 1.0)
    assert compose(rendered(text="Grüße\n"), sent_ms=SENT_MS) == first


def test_a_long_link_in_plain_ascii_stays_on_one_line_of_the_raw_mail():
    link = "https://auth.example/email/verify?token=" + "t" * 300
    assert link.encode() in compose(rendered(text=f"{link}\n"), sent_ms=SENT_MS).data


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.just("\n"), max_size=3000))
def test_any_body_arrives_whole_in_lines_that_smtp_carries(text):
    mail = compose(rendered(text=f"{text}\n", html=f"{text}\n"), sent_ms=SENT_MS)
    assert all(len(line) <= 998 for line in mail.data.split(b"\r\n"))
    assert b"\n" not in mail.data.replace(b"\r\n", b"")
    assert mail.data.isascii()
    assert parsed(mail).get_body(("plain",)).get_content() == f"{text}\n"


def test_words_beyond_ascii_in_subject_and_name_are_encoded():
    mail = compose(rendered(subject="Bestätigen Sie " * 8, sender_name="Häuser & Co"), sent_ms=SENT_MS)
    assert mail.data.isascii()
    assert parsed(mail)["Subject"] == "Bestätigen Sie " * 7 + "Bestätigen Sie "
    assert parsed(mail)["From"].addresses[0].display_name == "Häuser & Co"


def test_a_name_beyond_ascii_in_the_address_is_sent_as_utf8():
    mail = compose(rendered(to="bjørn@example.com"), sent_ms=SENT_MS)
    assert mail.needs_smtputf8
    assert mail.to == "bjørn@example.com"
    assert "To: bjørn@example.com".encode() in mail.data
    assert not compose(rendered(), sent_ms=SENT_MS).needs_smtputf8


def test_without_a_name_the_sender_is_the_bare_address():
    assert parsed(compose(rendered(sender_name=""), sent_ms=SENT_MS))["From"] == "no-reply@auth.example"


INJECTIONS = [
    "x\r\nBcc: eve@evil.example",
    "x\nBcc: eve@evil.example",
    "x\rBcc: eve@evil.example",
    "x\0y",
    "x\u2028Bcc: eve@evil.example",
    "x\u0085Bcc: eve@evil.example",
    "x\x0bBcc: y",
    "x\r\n\r\nbody",
    "x\u202ey",
    "=?utf-8?q?x=0D=0ABcc=3A_eve=40evil.example?=",
    "=?utf-8?b?eA0KQmNjOiBldmVAZXZpbC5leGFtcGxl?=",
    "x" * 201,
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_attack_header_injected_through_the_subject(text):
    with pytest.raises(HeaderRefused, match="one short line") as refusal:
        compose(rendered(subject=text), sent_ms=SENT_MS)
    assert "evil" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        *INJECTIONS,
        "Acme <eve@evil.example>",
        'Acme" <eve@evil.example>, "x',
        "Bäcker, eve@evil.example",
        "a(b)",
        "a;b",
        "a:b;",
    ],
)
def test_attack_header_or_second_sender_injected_through_the_senders_name(text):
    with pytest.raises(HeaderRefused):
        compose(rendered(sender_name=text), sent_ms=SENT_MS)


@pytest.mark.parametrize("field", ["to", "sender"])
@pytest.mark.parametrize(
    "text", ["ann@x.example\r\nBcc: eve@evil.example", "ann@x.example,eve@evil.example", "A <a@x.example>"]
)
def test_attack_header_or_recipient_injected_through_an_address(field, text):
    with pytest.raises(AddressRefused):
        compose(rendered(**{field: text}), sent_ms=SENT_MS)


@pytest.mark.parametrize("text", ["", "short", "ab" * 16 + "\r\nBcc: x", "ab" * 16 + "@evil.example", "é" * 32])
def test_attack_header_injected_through_the_message_id(text):
    with pytest.raises(HeaderRefused):
        compose(rendered(message_id=text), sent_ms=SENT_MS)


def test_attack_encoded_line_break_is_caught_in_the_finished_bytes_even_when_the_first_check_is_gone(monkeypatch):
    class Careless(service.mail.compose.EmailMessage):
        def as_bytes(self, *args, **kwargs):
            return super().as_bytes(*args, **kwargs).replace(b"Subject: x", b"Subject: x\r\nBcc: eve@evil.example")

    monkeypatch.setattr(service.mail.compose, "EmailMessage", Careless)
    with pytest.raises(HeaderRefused, match="other headers"):
        compose(rendered(subject="x"), sent_ms=SENT_MS)


@given(st.text(max_size=80))
def test_no_subject_whatever_adds_a_header_or_a_recipient(subject):
    try:
        mail = compose(rendered(subject=subject), sent_ms=SENT_MS)
    except HeaderRefused:
        return
    message = parsed(mail)
    assert message.keys() == HEADERS
    assert [address.addr_spec for address in message["To"].addresses] == ["ann@example.com"]
