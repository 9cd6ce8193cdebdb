"""One file out of a tarball that is the one we expect."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

_MAX_BYTES = 64 * 1024 * 1024
_EXECUTABLE = 0o755


class NotAsPinned(Exception):
    """The archive, or the file in it, is not the one that was pinned."""


def check_integrity(archive: Path, integrity: str) -> None:
    """Compare with ``sha512-<base64>``, the form of the Subresource Integrity specification.

    Raises:
        NotAsPinned: the digests differ.
    """
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha512").digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != integrity:
        raise NotAsPinned(f"{archive.name} does not have the pinned sha512 digest")


def extract_executable(archive: Path, member_name: str, target: Path) -> None:
    """Write the regular file ``member_name`` to ``target``; nothing else in the archive is unpacked.

    The target appears whole or not at all.

    Raises:
        NotAsPinned: no such member, not a regular file, or larger than 64 MiB.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "r:gz") as tar:
        member = next((member for member in tar if member.name == member_name), None)
        usable = member is not None and member.isreg() and member.size <= _MAX_BYTES
        source = tar.extractfile(member) if member is not None and usable else None
        if source is None:
            raise NotAsPinned(f"{archive.name} holds no usable {member_name}")
        descriptor, unfinished = tempfile.mkstemp(dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as sink:
                shutil.copyfileobj(source, sink)
            Path(unfinished).chmod(_EXECUTABLE)
            Path(unfinished).replace(target)
        finally:
            Path(unfinished).unlink(missing_ok=True)
