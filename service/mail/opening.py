"""What carries mail, opened for as long as a process sends."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from service.mail.ses import Ses, open_ses
from service.mail.url import sender_from_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.mail.ports import MailSender


@asynccontextmanager
async def open_sender(url: str) -> AsyncIterator[MailSender]:
    """The sender that ``url`` names. Raises MailUrlRefused, NoRegion."""
    found = sender_from_url(url)
    if isinstance(found, Ses):
        async with open_ses(found) as sender:
            yield sender
    else:
        yield found
