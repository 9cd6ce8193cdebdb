"""dynoxide: one binary over SQLite; starts in milliseconds, and every acknowledged write is synced to disk."""

from __future__ import annotations

import hashlib
import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.engines.port import Launch

if TYPE_CHECKING:
    from pathlib import Path

    from service.engines.port import EngineName


@dataclass(frozen=True, kw_only=True)
class Release:
    """One published binary: its npm package, and what we saw in it."""

    package: str
    version: str
    integrity: str
    binary_sha256: str


# By (sys.platform, platform.machine()). A platform is added together with its digests, never without.
RELEASES = {
    ("linux", "x86_64"): Release(
        package="@dynoxide/linux-x64",
        version="1.2.1",
        integrity="sha512-sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg==",
        binary_sha256="be909b7910d3fb552e85db10ef3c8ebae4bd35fee0f26dffdb6dfa5cc656426e",
    ),
}


def release_here() -> Release | None:
    """The release for this machine, or None when none is pinned."""
    return RELEASES.get((sys.platform, platform.machine()))


def is_genuine(binary: Path, release: Release) -> bool:
    """Whether ``binary`` is there and is the one that was pinned."""
    if not binary.is_file():
        return False
    with binary.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == release.binary_sha256


@dataclass(frozen=True, kw_only=True)
class Dynoxide:
    """The engine; ``cache_dir`` is where :mod:`service.engines.fetch` puts the binary."""

    cache_dir: Path
    release: Release | None

    @property
    def name(self) -> EngineName:
        """Its name."""
        return "dynoxide"

    @property
    def binary(self) -> Path:
        """Where the binary is, or would be."""
        version = self.release.version if self.release else "none"
        return self.cache_dir / f"dynoxide-{version}" / "dynoxide"

    def available(self) -> str | None:
        """None, or why not. The digest is compared each time: the cache may lie in a folder that others can write."""
        if self.release is None:
            return "no dynoxide binary is pinned for this platform; use --engine ministack"
        if not self.binary.is_file():
            return f"{self.binary} is not there; fetch it with: python -m service.engines.fetch"
        if not is_genuine(self.binary, self.release):
            return f"{self.binary} is not the pinned release; delete it, then: python -m service.engines.fetch"
        return None

    def command(self, port: int, data_dir: Path | None) -> Launch:
        """``dynoxide serve`` on the loopback interface."""
        argv = [str(self.binary), "serve", "--host", "127.0.0.1", "--port", str(port)]
        if data_dir is not None:
            argv += ["--db-path", str(data_dir / "dynoxide.db")]
        return Launch(argv, {})
