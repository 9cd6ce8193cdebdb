"""The service's Maildir as the soak reads it: each mail once, then it is removed, so that the folder stays small."""

from __future__ import annotations

import asyncio
import re
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS = 30
_LOOK_SECONDS = 0.1
_TOKEN = re.compile(r"/(?P<door>[a-z/]+)\?token=(?P<token>[A-Za-z0-9._~-]+)")


class Mailbox:
    """Mailed tokens, by address and the page that the link leads to."""

    def __init__(self, folder: Path) -> None:
        self._new = folder / "new"
        self._tokens: dict[tuple[str, str], str] = {}
        self.read = 0

    async def token(self, address: str, door: str) -> str:
        """The token of the link to ``door`` (``email/verify``). Raises TimeoutError when no such mail comes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (address, door) not in self._tokens:
                self._look()
                await asyncio.sleep(_LOOK_SECONDS)
        return self._tokens.pop((address, door))

    def _look(self) -> None:
        for path in list(self._new.iterdir()) if self._new.is_dir() else []:
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            body = mail.get_body(("plain",))
            found = _TOKEN.search(body.get_content()) if body else None
            if found:
                self._tokens[mail["To"].lower(), found["door"]] = found["token"]
            self.read += 1
            path.unlink()
