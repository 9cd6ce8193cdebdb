from __future__ import annotations

import asyncio
import traceback
from dataclasses import replace

import pytest

from service.mail.compose import compose
from service.mail.message import RenderedMail
from service.mail.opening import open_sender
from service.mail.ports import MailRefused, MailUnavailable, MailUncertain
from service.mail.ses import NoRegion, Ses, open_ses
from tests.unit.mail.ses_fake import PATH, FakeSes


def outgoing(*, to="ann@example.com"):
    mail = RenderedMail(
        message_id="ab" * 16,
        to=to,
        sender="no-reply@auth.example",
        subject="Hello",
        text="Hello\n",
        html="<p>Hello</p>\n",
    )
    return compose(mail, sent_ms=1_800_000_000_000)


@pytest.fixture
def connect(monkeypatch):
    """A sender whose SES is the fake."""

    def at(fake, ses=None):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", fake.url)
        return open_ses(ses or Ses())

    return at


async def test_a_mail_reaches_ses_whole_with_its_envelope_signed_by_awss_credentials(connect):
    mail = outgoing()
    async with FakeSes().running() as fake, connect(fake, Ses(configuration_set="ours")) as sender:
        await sender.send(mail)
    assert fake.mails == [mail.data]
    (request,) = fake.requests
    assert request["FromEmailAddress"] == "no-reply@auth.example"
    assert request["Destination"] == {"ToAddresses": ["ann@example.com"]}
    assert request["ConfigurationSetName"] == "ours"
    (head,) = fake.heads
    assert head.startswith(f"POST {PATH} HTTP/1.1\r\n")
    assert "Credential=keyturn/" in head
    assert "/us-east-1/ses/aws4_request" in head


async def test_without_a_configuration_set_none_is_named(connect):
    async with FakeSes().running() as fake, connect(fake) as sender:
        await sender.send(outgoing())
    assert "ConfigurationSetName" not in fake.requests[0]


NOT_VERIFIED = (
    "Email address is not verified. The following identities failed the check in region US-EAST-1: ann@example.com"
)


@pytest.mark.parametrize(
    ("status", "code", "words", "problem"),
    [
        (400, "MessageRejected", "ann@example.com: illegal content", MailRefused),
        (400, "BadRequestException", "ann@example.com is no address", MailRefused),
        (400, "MessageRejected", NOT_VERIFIED, MailUnavailable),
        (400, "MailFromDomainNotVerifiedException", "ann@example.com", MailUnavailable),
        (400, "AccountSuspendedException", "ann@example.com", MailUnavailable),
        (400, "SendingPausedException", "ann@example.com", MailUnavailable),
        (400, "LimitExceededException", "ann@example.com", MailUnavailable),
        (404, "NotFoundException", "no such configuration set for ann@example.com", MailUnavailable),
        (
            403,
            "AccessDeniedException",
            "not authorized to perform ses:SendRawEmail on ann@example.com",
            MailUnavailable,
        ),
        (403, "UnrecognizedClientException", "ann@example.com", MailUnavailable),
        (429, "TooManyRequestsException", "Maximum sending rate exceeded for ann@example.com", MailUnavailable),
        (500, "InternalFailure", "ann@example.com", MailUnavailable),
        (503, "ServiceUnavailable", "ann@example.com", MailUnavailable),
    ],
)
async def test_what_is_about_the_mail_ends_it_and_what_is_about_us_may_pass(connect, status, code, words, problem):
    async with FakeSes(answers=[(status, code, words)]).running() as fake, connect(fake) as sender:
        with pytest.raises(problem, match=code) as raised:
            await sender.send(outgoing())
        assert len(fake.heads) == 1, "trying again is the outbox's business"
    assert "ann@" not in "".join(traceback.format_exception(raised.value))


async def test_ses_that_is_away_has_certainly_not_taken_the_mail(connect):
    async with FakeSes().running() as fake, connect(fake) as sender:
        pass
    async with connect(fake) as sender:
        with pytest.raises(MailUnavailable) as raised:
            await sender.send(outgoing())
    assert not isinstance(raised.value, MailUncertain)


async def test_ses_that_says_nothing_is_left_in_time_and_may_have_taken_the_mail(connect):
    async with FakeSes(silent=True).running() as fake, connect(fake) as sender:
        async with asyncio.timeout(30):
            with pytest.raises(MailUncertain, match="TimeoutError"):
                await replace(sender, timeout_seconds=0.2).send(outgoing())


@pytest.mark.parametrize("loses", ["silence", "hang-up", "reset"])
async def test_a_mail_that_ses_took_and_whose_answer_was_lost_is_uncertain(connect, loses):
    async with FakeSes(loses=loses).running() as fake, connect(fake) as sender:
        with pytest.raises(MailUncertain):
            await replace(sender, timeout_seconds=3.0).send(outgoing())
    assert len(fake.mails) == 1


async def test_an_address_beyond_ascii_is_refused_for_good(connect):
    async with FakeSes().running() as fake, connect(fake) as sender:
        with pytest.raises(MailRefused, match="ASCII"):
            await sender.send(outgoing(to="bjørn@example.com"))
        assert fake.heads == []


async def test_ses_without_a_region_is_refused_when_it_is_opened(monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(NoRegion, match="AWS_REGION"):
        async with open_ses(Ses()):
            pass


async def test_the_service_sends_through_ses_when_the_mail_url_says_so(connect, monkeypatch):
    async with FakeSes().running() as fake:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", fake.url)
        async with open_sender("ses:") as sender:
            await sender.send(outgoing())
    assert len(fake.mails) == 1
