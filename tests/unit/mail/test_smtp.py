from __future__ import annotations

import asyncio
import time
import traceback

import pytest

from service.kernel.secret import Secret
from service.mail.compose import compose
from service.mail.message import RenderedMail
from service.mail.ports import MailRefused, MailUnavailable, MailUncertain
from service.mail.smtp import Credentials, Encryption, SmtpSender

CREDENTIALS = Credentials(username="user", password=Secret("hunter2hunter2"))


def outgoing(*, to="ann@example.com", text="Hello\n.\nafter the dot\n"):
    mail = RenderedMail(
        message_id="ab" * 16, to=to, sender="no-reply@auth.example", subject="Hello", text=text, html="<p>Hello</p>\n"
    )
    return compose(mail, sent_ms=1_800_000_000_000)


def sender(relay, **changes):
    fields = {"host": "127.0.0.1", "port": relay.port, "encryption": Encryption.OFF, "timeout_seconds": 5.0}
    return SmtpSender(**(fields | changes))


def verbs(relay):
    return [line.split(" ")[0] for line, _ in relay.commands]


async def test_a_mail_reaches_the_relay_whole_with_its_envelope(make_relay):
    async with make_relay().running() as relay:
        mail = outgoing()
        await sender(relay).send(mail)
    assert relay.mails == [mail.data.replace(b"\r\n.\r\n", b"\r\n..\r\n")]
    lines = [line for line, _ in relay.commands]
    assert lines[0] == "EHLO auth.example"
    assert lines[1].startswith("MAIL FROM:<no-reply@auth.example>")
    assert lines[2] == "RCPT TO:<ann@example.com>"


async def test_attack_smtp_smuggling_a_dot_on_a_line_of_its_own_does_not_end_the_mail(make_relay):
    async with make_relay().running() as relay:
        await sender(relay).send(outgoing(text="x\n.\nMAIL FROM:<eve@evil.example>\n"))
    assert len(relay.mails) == 1
    assert verbs(relay) == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


async def test_required_starttls_says_nothing_of_the_mail_in_the_clear(make_relay, certificate):
    async with make_relay(tls=certificate.server, extensions=("AUTH PLAIN",)).running() as relay:
        await sender(
            relay,
            encryption=Encryption.STARTTLS_REQUIRED,
            tls=certificate.trusting_client,
            credentials=CREDENTIALS,
        ).send(outgoing())
    assert len(relay.mails) == 1
    clear = [line.split(" ")[0] for line, encrypted in relay.commands if not encrypted]
    assert clear == ["EHLO", "STARTTLS"]
    assert "AUTH" in verbs(relay)


@pytest.mark.parametrize("credentials", [None, CREDENTIALS])
async def test_attack_starttls_stripped_from_the_offer_sends_nothing(make_relay, credentials):
    async with make_relay(extensions=("AUTH PLAIN",)).running() as relay:
        with pytest.raises(MailUnavailable):
            await sender(relay, encryption=Encryption.STARTTLS_REQUIRED, credentials=credentials).send(outgoing())
    assert relay.mails == []
    assert set(verbs(relay)) <= {"EHLO", "QUIT"}


async def test_attack_certificate_that_nobody_vouches_for_sends_nothing(make_relay, certificate):
    for encryption in (Encryption.STARTTLS_REQUIRED, Encryption.STARTTLS_OPPORTUNISTIC):
        async with make_relay(tls=certificate.server).running() as relay:
            with pytest.raises(MailUnavailable):
                await sender(relay, encryption=encryption).send(outgoing())
        assert relay.mails == []


async def test_attack_certificate_for_another_name_sends_nothing(make_relay, certificate):
    async with make_relay(tls=certificate.server, implicit_tls=True).running() as relay:
        with pytest.raises(MailUnavailable):
            await sender(relay, host="localhost", encryption=Encryption.TLS, tls=certificate.trusting_client).send(
                outgoing()
            )
    assert relay.mails == []


async def test_opportunistic_starttls_upgrades_where_it_can_and_goes_on_where_it_cannot(make_relay, certificate):
    for tls in (certificate.server, None):
        async with make_relay(tls=tls).running() as relay:
            await sender(relay, encryption=Encryption.STARTTLS_OPPORTUNISTIC, tls=certificate.trusting_client).send(
                outgoing()
            )
        assert len(relay.mails) == 1
        assert ("RCPT TO:<ann@example.com>", tls is not None) in relay.commands


async def test_tls_from_the_first_byte(make_relay, certificate):
    async with make_relay(tls=certificate.server, implicit_tls=True).running() as relay:
        await sender(relay, encryption=Encryption.TLS, tls=certificate.trusting_client).send(outgoing())
    assert len(relay.mails) == 1


async def test_an_address_beyond_ascii_goes_out_as_utf8_where_the_relay_can(make_relay):
    async with make_relay(extensions=("SMTPUTF8", "8BITMIME")).running() as relay:
        await sender(relay).send(outgoing(to="bjørn@example.com"))
    assert "RCPT TO:<bjørn@example.com>" in [line for line, _ in relay.commands]
    assert any("SMTPUTF8" in line for line, _ in relay.commands)


async def test_an_address_beyond_ascii_is_refused_for_good_where_the_relay_cannot(make_relay):
    async with make_relay().running() as relay:
        with pytest.raises(MailRefused, match="ASCII"):
            await sender(relay).send(outgoing(to="bjørn@example.com"))


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "mail"])
@pytest.mark.parametrize(("code", "problem"), [(451, MailUnavailable), (550, MailRefused)])
async def test_4xx_may_be_tried_again_and_5xx_may_not(make_relay, command, code, problem):
    async with make_relay(answers={command: f"{code} ann@example.com is not wanted"}).running() as relay:
        with pytest.raises(problem, match=str(code)) as raised:
            await sender(relay).send(outgoing())
    assert "ann@" not in "".join(traceback.format_exception(raised.value))


async def test_wrong_credentials_are_our_fault_and_not_the_mails(make_relay):
    answers = {"AUTH": "535 hunter2hunter2 is wrong"}
    async with make_relay(answers=answers, extensions=("AUTH PLAIN",)).running() as relay:
        with pytest.raises(MailUnavailable, match="535") as raised:
            await sender(relay, credentials=CREDENTIALS).send(outgoing())
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("answers", [{"greeting": "554 go away"}, {"EHLO": "502 what"}, {"greeting": "nonsense"}])
async def test_a_relay_that_does_not_want_us_is_unavailable(make_relay, answers):
    async with make_relay(answers={"HELO": "502 what", **answers}).running() as relay:
        with pytest.raises(MailUnavailable):
            await sender(relay).send(outgoing())


async def test_a_relay_that_is_away_is_unavailable(make_relay):
    async with make_relay().running() as relay:
        pass
    with pytest.raises(MailUnavailable):
        await sender(relay).send(outgoing())


async def test_a_relay_that_says_nothing_is_unavailable_in_time(make_relay):
    async with make_relay(silent=True).running() as relay:
        async with asyncio.timeout(30):
            with pytest.raises(MailUnavailable):
                await sender(relay, timeout_seconds=0.1).send(outgoing())


@pytest.mark.parametrize("how", ["silent_at", "hangs_up_at"])
async def test_the_relays_yes_is_the_end_of_the_matter_whatever_it_makes_of_quit(make_relay, how):
    async with make_relay(**{how: frozenset({"QUIT"})}).running() as relay:
        began = time.monotonic()
        await sender(relay).send(outgoing())
        assert time.monotonic() - began < 15, "QUIT is waited for a moment and no longer"
    assert len(relay.mails) == 1
    assert verbs(relay)[-1] == "QUIT"


@pytest.mark.parametrize("answer", ["421 too late", "550 never", "nonsense"])
async def test_a_no_to_quit_is_no_answer_to_the_mail(make_relay, answer):
    async with make_relay(answers={"QUIT": answer}).running() as relay:
        await sender(relay).send(outgoing())
    assert len(relay.mails) == 1


@pytest.mark.parametrize("how", ["silent_at", "hangs_up_at"])
async def test_a_mail_whose_answer_is_lost_is_uncertain(make_relay, how):
    async with make_relay(**{how: frozenset({"mail"})}).running() as relay:
        async with asyncio.timeout(30):
            with pytest.raises(MailUncertain) as raised:
                await sender(relay, answer_seconds=1.0).send(outgoing())
    assert len(relay.mails) == 1
    assert "ann@" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("how", ["silent_at", "hangs_up_at"])
@pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT"])
async def test_what_was_not_begun_is_certainly_not_sent(make_relay, command, how):
    async with make_relay(**{how: frozenset({command})}).running() as relay:
        with pytest.raises(MailUnavailable) as raised:
            await sender(relay, timeout_seconds=0.3).send(outgoing())
    assert not isinstance(raised.value, MailUncertain)
    assert relay.mails == []


async def test_a_relay_may_take_longer_over_the_mail_than_over_all_before_it(make_relay):
    async with make_relay(silent_at=frozenset({"mail"})).running() as relay:
        began = time.monotonic()
        with pytest.raises(MailUncertain):
            await sender(relay, timeout_seconds=2.0, answer_seconds=3.0).send(outgoing())
    assert time.monotonic() - began > 2.9


def test_credentials_never_cross_a_network_in_the_clear():
    with pytest.raises(ValueError, match="loopback"):
        SmtpSender(host="mx.example", port=25, encryption=Encryption.OFF)
    with pytest.raises(ValueError, match="credentials"):
        SmtpSender(host="mx.example", port=25, encryption=Encryption.STARTTLS_OPPORTUNISTIC, credentials=CREDENTIALS)
    SmtpSender(host="mx.example", port=25, encryption=Encryption.STARTTLS_OPPORTUNISTIC)
    SmtpSender(host="mx.example", port=25, credentials=CREDENTIALS)


def test_the_password_is_masked_when_a_sender_is_printed():
    assert "hunter2" not in repr(SmtpSender(host="mx.example", port=25, credentials=CREDENTIALS))
