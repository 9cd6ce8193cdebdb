"""Mail into a Maildir: one file a mail, complete or absent, readable by any mail program."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.mail.ports import MailUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from service.mail.message import OutgoingMail


@dataclass(frozen=True, kw_only=True)
class MaildirSender:
    """Writes into ``folder``, made on the first mail and readable by its owner only: mails carry tokens."""

    folder: Path

    async def send(self, mail: OutgoingMail) -> None:
        """Write to ``tmp``, then rename into ``new``. Sending one mail again replaces it.

        Raises:
            MailUnavailable: when the file system refuses.
        """
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as error:
            raise MailUnavailable(f"the maildir cannot be written: {type(error).__name__}") from error

    def _write(self, mail: OutgoingMail) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("tmp", "new", "cur"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        name = file_name(mail)
        draft = self.folder / "tmp" / name
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(mail.data.replace(b"\r\n", b"\n"))
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.folder / "new" / name)
        finally:
            draft.unlink(missing_ok=True)


def file_name(mail: OutgoingMail) -> str:
    """The Maildir form ``seconds.unique.host``; sorts by time."""
    return f"{mail.sent_ms // 1000}.M{mail.sent_ms % 1000:03d}_{mail.message_id}.keyturn"
