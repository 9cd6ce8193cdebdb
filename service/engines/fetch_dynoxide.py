"""Fetches dynoxide with the machine's own npm client, from wherever that client is configured to look."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from service.engines.archive import NotAsPinned, check_integrity, extract_executable
from service.engines.dynoxide import Dynoxide, Release, is_genuine

if TYPE_CHECKING:
    from collections.abc import Callable

_NPM_TIMEOUT_SECONDS = 120
_MEMBER = "package/dynoxide"


def fetch_dynoxide(engine: Dynoxide, *, run: Callable[..., object] = subprocess.run) -> str | None:
    """Put the binary into the cache; None when it is there afterwards, else why not. Never raises for the network."""
    release = engine.release
    if release is None:
        return engine.available()
    if is_genuine(engine.binary, release):
        return None
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not on the PATH"
    with tempfile.TemporaryDirectory(prefix="keyturn-fetch-") as folder:
        try:
            _pack(npm, release, Path(folder), run)
            _unpack(Path(folder), engine, release)
        except subprocess.TimeoutExpired:
            return f"npm took longer than {_NPM_TIMEOUT_SECONDS} seconds"
        except subprocess.CalledProcessError as failure:
            return f"npm pack {release.package} ended with status {failure.returncode}"
        except (NotAsPinned, OSError) as problem:
            return str(problem)
    return None


def _pack(npm: str, release: Release, folder: Path, run: Callable[..., object]) -> None:
    run(
        [npm, "pack", f"{release.package}@{release.version}", "--ignore-scripts", "--silent"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_NPM_TIMEOUT_SECONDS,
        check=True,
    )


def _unpack(folder: Path, engine: Dynoxide, release: Release) -> None:
    archives = list(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise NotAsPinned("npm pack left no archive")
    check_integrity(archives[0], release.integrity)
    extract_executable(archives[0], _MEMBER, engine.binary)
    if not is_genuine(engine.binary, release):
        engine.binary.unlink()
        raise NotAsPinned("the binary does not have the pinned sha256 digest")
