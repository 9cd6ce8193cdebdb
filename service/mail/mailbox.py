"""Reading back what a Maildir holds."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class StoredMail:
    """One mail as it was stored; ``name`` is its file's name."""

    name: str
    date: str
    to: str = field(repr=False)
    sender: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


def newest_first(folder: Path, *, limit: int) -> list[StoredMail]:
    """The last ``limit`` mails in the Maildir ``folder``; none when it is not there."""
    files = sorted(_files(folder).values(), key=lambda path: path.name, reverse=True)
    return [_read(path) for path in files[:limit]]


def find(folder: Path, name: str) -> StoredMail | None:
    """The mail whose file is called ``name``, or None. The name is looked up in the listing and never made a path."""
    path = _files(folder).get(name)
    return None if path is None else _read(path)


def _files(folder: Path) -> dict[str, Path]:
    folders = [folder / "cur", folder / "new"]
    found = (path for place in folders if place.is_dir() for path in place.iterdir())
    return {path.name: path for path in found if path.is_file() and not path.is_symlink()}


def _read(path: Path) -> StoredMail:
    message: EmailMessage = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return StoredMail(
        name=path.name,
        date=str(message["Date"] or ""),
        to=str(message["To"] or ""),
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or ""),
        text=_body(message, "plain"),
        html=_body(message, "html"),
    )


def _body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return "" if part is None else str(part.get_content())
