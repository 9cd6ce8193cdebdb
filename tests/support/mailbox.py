"""The Maildir of a test, read as its owner would."""

from __future__ import annotations

import asyncio
import re
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

_TOKEN = re.compile(r"[?&]token=([A-Za-z0-9._~-]+)")
_ABOUT_DEVICES = {"New sign-in to your account", "Neue Anmeldung bei Ihrem Konto"}
_CODE = re.compile(r"^([0-9A-Z]{4}-[0-9A-Z]{4})$", re.MULTILINE)


class Mailbox:
    """Mails are sent after the answer, so reading one waits for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self, address: str | None = None, *, devices: bool = False) -> list[EmailMessage]:
        """Every mail, the oldest first; of one address when given.

        Those about new devices come to whoever signs in from two clients, as most tests do: they are for who asks for
        them with ``devices``, and then no others.
        """
        files = sorted((self._folder / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
        mine = [mail for mail in mails if address is None or mail["To"].lower() == address.lower()]
        return [mail for mail in mine if (mail["Subject"] in _ABOUT_DEVICES) == devices]

    def clear(self) -> None:
        """Throw all mails away."""
        for path in (self._folder / "new").glob("*"):
            path.unlink()

    async def wait(self, address: str, *, count: int = 1, seconds: float = 10.0, devices: bool = False) -> EmailMessage:
        """The newest mail to ``address`` once there are ``count``."""
        for _ in range(int(seconds * 100)):
            mails = self.all(address, devices=devices)
            if len(mails) >= count:
                return mails[-1]
            await asyncio.sleep(0.01)
        raise AssertionError(f"{len(self.all(address, devices=devices))} of {count} mails came")

    async def token(self, address: str, *, count: int = 1) -> str:
        """The token of the newest mail's link."""
        return _TOKEN.search(text_of(await self.wait(address, count=count)))[1]

    async def code(self, address: str, *, count: int = 1) -> str:
        """The code of the newest mail."""
        return _CODE.search(text_of(await self.wait(address, count=count)))[1]


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
