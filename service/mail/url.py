"""``KEYTURN_MAIL_URL`` to the sender that it names.

    maildir:PATH
    smtp://[USER:PASSWORD@]HOST[:PORT][?starttls=required|opportunistic|off]     port 587
    smtps://[USER:PASSWORD@]HOST[:PORT]                                          port 465
    ses:[?configuration-set=NAME]                                                Amazon SES, API version 2

STARTTLS is required unless the host is loopback. User and password are percent-encoded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from service.kernel.secret import Secret
from service.mail.links import is_loopback
from service.mail.maildir import MaildirSender
from service.mail.ses import Ses
from service.mail.smtp import Credentials, Encryption, SmtpSender

if TYPE_CHECKING:
    from service.mail.ports import MailSender

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:]+")
_CONFIGURATION_SET = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STARTTLS = {mode.value: mode for mode in Encryption if mode is not Encryption.TLS}


class MailUrlRefused(ValueError):
    """The mail URL cannot be used. The message never repeats any part of it, for it may hold a password."""


def sender_from_url(url: str) -> MailSender | Ses:
    """The sender that ``url`` names, or what to open it with; nothing is opened yet.

    Raises:
        MailUrlRefused: when it names none, or an unsafe one.
    """
    scheme, colon, rest = url.partition(":")
    match scheme.lower() if colon else "":
        case "maildir":
            return _maildir(rest)
        case "smtp" | "smtps":
            return _smtp(url)
        case "ses":
            return _ses(rest)
        case _:
            raise MailUrlRefused("the mail URL begins with maildir:, smtp://, smtps:// or ses:")


def _maildir(path: str) -> MaildirSender:
    if not path or "\0" in path or path.startswith("//"):
        raise MailUrlRefused("maildir: is followed by a path, such as maildir:/var/mail/keyturn")
    return MaildirSender(folder=Path(path))


def _ses(rest: str) -> Ses:
    name = rest.removeprefix("?configuration-set=")
    if not rest:
        return Ses()
    if name == rest or not _CONFIGURATION_SET.fullmatch(name):
        raise MailUrlRefused("ses: stands alone, or is followed by ?configuration-set=NAME; credentials are AWS's")
    return Ses(configuration_set=name)


def _smtp(url: str) -> SmtpSender:
    parts, port = _split(url)
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or parts.path not in {"", "/"} or "#" in url:
        raise MailUrlRefused("a mail URL is smtp://user:password@host:port, with user and password percent-encoded")
    encryption = _encryption(parts, host)
    try:
        return SmtpSender(
            host=host,
            port=port or (465 if encryption is Encryption.TLS else 587),
            encryption=encryption,
            credentials=_credentials(parts),
        )
    except ValueError as error:
        raise MailUrlRefused(str(error)) from None


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Without the cause: the library's words repeat what it took for the port, which may be a password.
        raise MailUrlRefused("the host and port of the mail URL cannot be read") from None
    return parts, port


def _encryption(parts: SplitResult, host: str) -> Encryption:
    asked = parse_qsl(parts.query, keep_blank_values=True)
    if parts.scheme == "smtps" and not asked:
        return Encryption.TLS
    if parts.scheme == "smtp" and not asked:
        return Encryption.OFF if is_loopback(host) else Encryption.STARTTLS_REQUIRED
    match asked:
        case [("starttls", mode)] if parts.scheme == "smtp" and mode in _STARTTLS:
            return _STARTTLS[mode]
        case _:
            raise MailUrlRefused("after ? only starttls=required, opportunistic or off, and for smtp:// only")


def _credentials(parts: SplitResult) -> Credentials | None:
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not username and not password:
        return None
    if not username or not password:
        raise MailUrlRefused("the mail URL has a user or a password, but not both")
    return Credentials(username=username, password=Secret(password))
