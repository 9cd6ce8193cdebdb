"""From a mail in words to its bytes (RFC 5322, RFC 2045); headers cannot be injected by construction.

Every header has a type of its own and is refused when it holds a control character or an encoded word: the standard
library decodes an encoded word in a value, and versions before 3.12.5 write a line break that was inside it as one
(CVE-2024-6923). The finished bytes are then read back: the headers must be ours and no others.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import TYPE_CHECKING

from service.mail.addresses import parse_mailbox
from service.mail.message import OutgoingMail

if TYPE_CHECKING:
    from service.mail.message import RenderedMail

MAX_HEADER_CHARACTERS = 200
MAX_LINE_CHARACTERS = 990
_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{16,64}")
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_STRUCTURE = frozenset('()<>[]:;@,\\"')
_HEADER_NAMES = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("MIME-Version", "Content-Type"),
]


class HeaderRefused(ValueError):
    """A header would not be what it says it is; the message never repeats its value."""


def header_text(text: str) -> str:
    """``text`` as it may stand in a header.

    Raises:
        HeaderRefused: when it holds a control character, a line separator or an encoded word, or is too long.
    """
    if len(text) > MAX_HEADER_CHARACTERS or "=?" in text or any(unicodedata.category(c) in _CONTROLS for c in text):
        raise HeaderRefused("a header holds one short line of plain text")
    return text


def display_name(text: str) -> str:
    """``text`` as it may stand before an address; without the characters that give an address list its structure.

    Quoting would do for most readers, but the standard library loses the quotes when it encodes (CVE-2025-1795).

    Raises:
        HeaderRefused: when it holds one of them, or cannot be a header at all.
    """
    if _STRUCTURE.intersection(text):
        raise HeaderRefused("a sender's name is plain words, without any of " + " ".join(sorted(_STRUCTURE)))
    return header_text(text)


def compose(mail: RenderedMail, *, sent_ms: int) -> OutgoingMail:
    """The bytes and the envelope of ``mail``, dated ``sent_ms``; the same input gives the same bytes.

    Raises:
        AddressRefused: when the recipient or the sender is not exactly one address.
        HeaderRefused: when the subject, the sender's name or the message id cannot be a header.
    """
    to, sender = parse_mailbox(mail.to), parse_mailbox(mail.sender)
    if not _MESSAGE_ID.fullmatch(mail.message_id):
        raise HeaderRefused("a message id is 16 to 64 letters and digits")
    needs_smtputf8 = to.needs_smtputf8 or sender.needs_smtputf8
    message = EmailMessage(policy=SMTPUTF8 if needs_smtputf8 else SMTP)
    message["From"] = Address(display_name(mail.sender_name), sender.local, sender.domain)
    message["To"] = Address("", to.local, to.domain)
    message["Subject"] = header_text(mail.subject)
    message["Date"] = format_datetime(datetime.fromtimestamp(sent_ms // 1000, UTC))
    message["Message-ID"] = f"<{mail.message_id}@{sender.domain}>"
    # RFC 3834: no answering machine may answer. The second is Exchange's; bounces are still welcome.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    _set_bodies(message, mail)
    return OutgoingMail(
        message_id=mail.message_id,
        sent_ms=sent_ms,
        sender=sender.address,
        to=to.address,
        needs_smtputf8=needs_smtputf8,
        data=_checked_bytes(message),
    )


def _set_bodies(message: EmailMessage, mail: RenderedMail) -> None:
    message.set_content(mail.text, cte=_transfer_encoding(mail.text))
    message.add_alternative(mail.html, subtype="html", cte=_transfer_encoding(mail.html))
    # The library would draw the boundary by chance of its own; the id is drawn already and as hard to foresee.
    message.set_boundary(f"=_{mail.message_id}")


def _transfer_encoding(body: str) -> str:
    # Left readable where it can be: a link that is cut by soft line breaks is hard to copy from a raw file.
    short = all(len(line) <= MAX_LINE_CHARACTERS for line in body.splitlines())
    return "7bit" if body.isascii() and short else "quoted-printable"


def _checked_bytes(message: EmailMessage) -> bytes:
    data = message.as_bytes()
    head = data.partition(b"\r\n\r\n")[0].decode()
    names = [line.partition(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))]
    if sorted(names) != sorted(_HEADER_NAMES) or "\n" in head.replace("\r\n", ""):
        raise HeaderRefused("the finished mail has other headers than ours")
    return data
