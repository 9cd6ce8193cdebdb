"""The note that ``keyturn dev`` leaves for other commands: where it is and with which settings, for its owner only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUNNING_FILE = "running.env"
NOTED = ("KEYTURN_", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA")
"""The beginnings of the names that the note holds."""


def write_private(path: Path, text: str) -> None:
    """Write ``text`` so that nobody else can read it at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


def write_running(data: Path, environ: Mapping[str, str]) -> None:
    """Leave the note."""
    write_private(data / RUNNING_FILE, "".join(f"{name}={value}\n" for name, value in sorted(environ.items())))


def read_running(data: Path) -> dict[str, str]:
    """The variables of the note; none where there is none, or where another user could have written it."""
    path = data / RUNNING_FILE
    if not path.is_file() or not _is_private(path):
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {name: value for name, _, value in pairs if name.startswith(NOTED)}


def _is_private(path: Path) -> bool:
    status = path.stat()
    return status.st_uid == os.getuid() and status.st_mode & 0o077 == 0


def remove_running(data: Path) -> None:
    """Take the note away."""
    (data / RUNNING_FILE).unlink(missing_ok=True)
