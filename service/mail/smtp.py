"""Mail to an SMTP relay (RFC 5321), encrypted unless the relay is on this machine.

The relay's yes to the finished mail is the end of the matter, whatever it makes of QUIT. If neither yes nor no comes
once the mail is under way, nobody can tell whether the relay took it on (RFC 5321 section 4.1.1.4): MailUncertain.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from service.mail.links import is_loopback
from service.mail.ports import MailProblem, MailRefused, MailUnavailable, MailUncertain

if TYPE_CHECKING:
    import aiosmtplib

    from service.kernel.secret import Secret
    from service.mail.message import OutgoingMail

_PERMANENT = range(500, 600)
_QUIT_SECONDS = 2.0


class Encryption(StrEnum):
    """How the connection is protected."""

    TLS = "tls"
    """From the first byte (RFC 8314)."""
    STARTTLS_REQUIRED = "required"
    """Upgraded before anything else is said, or not used (RFC 3207)."""
    STARTTLS_OPPORTUNISTIC = "opportunistic"
    """Upgraded if the relay offers it: somebody on the way can take the offer out."""
    OFF = "off"
    """In the clear; for loopback only."""


_START_TLS: dict[Encryption, bool | None] = {
    Encryption.TLS: False,
    Encryption.STARTTLS_REQUIRED: True,
    Encryption.STARTTLS_OPPORTUNISTIC: None,
    Encryption.OFF: False,
}


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The name and password that the relay knows us by."""

    username: str
    password: Secret[str]


@dataclass(frozen=True, kw_only=True)
class SmtpSender:
    """Hands each mail to one relay, over a connection of its own.

    ``timeout_seconds`` is for all that comes before the mail itself, ``answer_seconds`` for the mail and the answer to
    it: relays look at content before they answer, and RFC 5321 section 4.5.3.2.6 asks for patience there, lest a mail
    that was taken is sent again. ``tls`` checks the certificate and the name unless it is replaced.

    Raises:
        ValueError: when mails or credentials would cross a network in the clear without that being asked for.
    """

    host: str
    port: int
    encryption: Encryption = Encryption.STARTTLS_REQUIRED
    credentials: Credentials | None = None
    timeout_seconds: float = 20.0
    answer_seconds: float = 40.0
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False, compare=False)

    def __post_init__(self) -> None:
        if is_loopback(self.host):
            return
        if self.encryption is Encryption.OFF:
            raise ValueError("mail without encryption is for loopback only")
        if self.encryption is Encryption.STARTTLS_OPPORTUNISTIC and self.credentials is not None:
            raise ValueError("credentials need starttls=required or smtps: an optional upgrade can be taken out")

    async def send(self, mail: OutgoingMail) -> None:
        """Return once the relay has accepted ``mail``.

        Raises:
            MailUncertain: when the mail was under way and the relay said neither yes nor no.
            MailUnavailable: when the relay is away, slow, cannot be trusted, or refuses us; or says "later" (4xx).
            MailRefused: when the relay refuses this mail for good (5xx), or cannot carry its address (RFC 6531).
        """
        # Here and below: with the first mail, and not with the process.
        import aiosmtplib

        client = self._client(mail)
        try:
            async with asyncio.timeout(self.timeout_seconds):
                await _introduce(client, mail)
            await self._hand_over(client, mail)
        except asyncio.CancelledError:
            client.close()
            raise
        except (aiosmtplib.SMTPException, OSError) as error:
            if isinstance(error, TimeoutError):
                # What comes next may be the answer to an earlier command: nothing more is said here.
                client.close()
            # Without the cause: the relay's words repeat the address.
            raise _problem(error) from None
        finally:
            await _leave(client)

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: OutgoingMail) -> None:
        import aiosmtplib

        try:
            async with asyncio.timeout(self.answer_seconds):
                await client.data(mail.data, timeout=None)
        except aiosmtplib.SMTPDataError:
            raise
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise MailUncertain(f"the relay did not answer to the mail: {type(error).__name__}") from None

    def _client(self, mail: OutgoingMail) -> aiosmtplib.SMTP:
        import aiosmtplib

        credentials = self.credentials
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=credentials.username if credentials else None,
            password=credentials.password.reveal() if credentials else None,
            local_hostname=mail.sender.rpartition("@")[2],
            timeout=self.timeout_seconds,
            use_tls=self.encryption is Encryption.TLS,
            start_tls=_START_TLS[self.encryption],
            tls_context=self.tls,
        )


async def _introduce(client: aiosmtplib.SMTP, mail: OutgoingMail) -> None:
    """All that comes before the mail itself: nothing was sent while this has not ended."""
    import aiosmtplib

    await client.connect()
    options, encoding = [], "ascii"
    if mail.needs_smtputf8:
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        if not client.supports_extension("smtputf8"):
            raise aiosmtplib.SMTPNotSupported("SMTPUTF8")
        options, encoding = ["SMTPUTF8", "BODY=8BITMIME"], "utf-8"
    await client.mail(mail.sender, options=options, encoding=encoding)
    await client.rcpt(mail.to, encoding=encoding)


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Politely where the relay still listens; what it makes of that changes nothing about the mail."""
    import aiosmtplib

    with suppress(aiosmtplib.SMTPException, OSError):
        async with asyncio.timeout(_QUIT_SECONDS):
            await client.quit()
    client.close()


def _problem(error: Exception) -> MailProblem:
    import aiosmtplib

    match error:
        case aiosmtplib.SMTPRecipientRefused(code=code):
            return _answered("the recipient", code)
        case aiosmtplib.SMTPSenderRefused(code=code):
            return _answered("the sender", code)
        case aiosmtplib.SMTPDataError(code=code):
            return _answered("the mail", code)
        case aiosmtplib.SMTPNotSupported(message=text) if "SMTPUTF8" in text:
            return MailRefused("the relay cannot carry an address beyond ASCII")
        case aiosmtplib.SMTPResponseException(code=code):
            # Greeting, EHLO, STARTTLS, AUTH: about us and not about this mail, whatever the code.
            return MailUnavailable(f"the relay answered {code} before the mail")
        case _:
            return MailUnavailable(f"the relay cannot be used: {type(error).__name__}")


def _answered(what: str, code: int) -> MailProblem:
    text = f"the relay answered {code} to {what}"
    return MailRefused(text) if code in _PERMANENT else MailUnavailable(text)
