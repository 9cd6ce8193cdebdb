from __future__ import annotations

import ssl
import traceback
from pathlib import Path

import pytest

from service.mail.maildir import MaildirSender
from service.mail.ses import Ses
from service.mail.smtp import Encryption, SmtpSender
from service.mail.url import MailUrlRefused, sender_from_url


@pytest.mark.parametrize("path", ["/var/mail/keyturn", ".keyturn/mail"])
def test_maildir_names_a_folder(path):
    assert sender_from_url(f"maildir:{path}") == MaildirSender(folder=Path(path))


@pytest.mark.parametrize(
    ("url", "host", "port", "encryption"),
    [
        ("smtp://mx.example", "mx.example", 587, Encryption.STARTTLS_REQUIRED),
        ("smtp://mx.example:25/?starttls=opportunistic", "mx.example", 25, Encryption.STARTTLS_OPPORTUNISTIC),
        ("smtp://mx.example?starttls=required", "mx.example", 587, Encryption.STARTTLS_REQUIRED),
        ("SMTPS://mx.example", "mx.example", 465, Encryption.TLS),
        ("smtps://mx.example:4650", "mx.example", 4650, Encryption.TLS),
        ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Encryption.OFF),
        ("smtp://[::1]:1025", "::1", 1025, Encryption.OFF),
        ("smtp://localhost?starttls=required", "localhost", 587, Encryption.STARTTLS_REQUIRED),
        ("smtp://localhost?starttls=off", "localhost", 587, Encryption.OFF),
    ],
)
def test_smtp_names_a_relay_and_requires_tls_unless_it_is_loopback(url, host, port, encryption):
    sender = sender_from_url(url)
    assert sender == SmtpSender(host=host, port=port, encryption=encryption)


def test_certificates_and_host_names_are_checked():
    sender = sender_from_url("smtps://mx.example")
    assert sender.tls.verify_mode is ssl.CERT_REQUIRED
    assert sender.tls.check_hostname


def test_credentials_are_percent_decoded_and_masked():
    sender = sender_from_url("smtp://us%40er:p%2Fa%23ss%3A@mx.example")
    assert sender.credentials.username == "us@er"
    assert sender.credentials.password.reveal() == "p/a#ss:"
    assert "p/a" not in repr(sender)


@pytest.mark.parametrize(
    ("url", "configuration_set"), [("ses:", None), ("SES:", None), ("ses:?configuration-set=mail_of-us", "mail_of-us")]
)
def test_ses_stands_alone_or_with_a_configuration_set(url, configuration_set):
    assert sender_from_url(url) == Ses(configuration_set=configuration_set)


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "maildir",
        "maildir:",
        "maildir://host/x",
        "maildir:/x\0y",
        "http://mx.example",
        f"stmp://u:{SECRET}@mx.example",
        "smtp://",
        "smtp:mx.example",
        f"smtp://u:{SECRET}@",
        f"smtp://u:{SECRET}@mx.example:port",
        f"smtp://u:{SECRET}@mx.example:99999",
        f"smtp://u:{SECRET}/x@mx.example",
        f"smtp://u:{SECRET}#x@mx.example",
        f"smtp://u:{SECRET}?x@mx.example",
        f"smtp://u:{SECRET}@mx.example/path",
        f"smtp://u:{SECRET}@mx.example#frag",
        f"smtp://:{SECRET}@mx.example",
        "smtp://user@mx.example",
        f"smtp://u:{SECRET}@mx.example?starttls=off",
        f"smtp://u:{SECRET}@mx.example?starttls=opportunistic",
        f"smtp://u:{SECRET}@mx.example?starttls=",
        f"smtp://u:{SECRET}@mx.example?starttls=tls",
        f"smtp://u:{SECRET}@mx.example?verify=no",
        f"smtp://u:{SECRET}@mx.example?starttls=required&starttls=off",
        f"smtps://u:{SECRET}@mx.example?starttls=required",
        f"smtp://u:{SECRET}@[::1",
        f"smtp://u:{SECRET}@mx .example",
        "smtp://mx.example?starttls=off",
        "ses://us-east-1",
        f"ses://key:{SECRET}@us-east-1",
        f"ses:{SECRET}",
        "ses:?",
        "ses:?configuration-set=",
        "ses:?configuration-set=a b",
        "ses:?configuration-set=a&x=y",
        "ses:?region=eu-central-1",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_and_its_password_not_repeated(url):
    with pytest.raises(MailUrlRefused) as refusal:
        sender_from_url(url)
    assert SECRET not in "".join(traceback.format_exception(refusal.value))
