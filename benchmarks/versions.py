"""What a run was made with: the machine, the service's libraries, and the pinned versions of every peer."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.install import HYDRA, KEYCLOAK, PEERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OURS = ("fastapi", "starlette", "uvicorn", "aioboto3", "argon2-cffi-bindings", "cryptography")
_FOLDERS = {
    "fastapi-users": "fastapi_users",
    "django": "django_simplejwt",
    "flask": "flask_jwt",
    "better-auth": "better_auth",
    "oidc-provider": "oidc_provider",
}
_PIN = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)$", re.MULTILINE)


def machine() -> str:
    """Processor, cores that this process may use at its start, memory and kernel."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = f"{platform.system()} {platform.release().split('-')[0]}"
    return f"{cores} cores of {model[1] if model else platform.machine()}, {memory:.0f} GiB, {kernel}"


def version_lines(engine: str, skipped: Mapping[str, str]) -> Iterator[str]:
    """A line for the service and one for each peer that was not skipped, as Markdown."""
    ours = ", ".join(f"{name} {version(name)}" for name in OURS)
    yield f"- keyturn: Python {platform.python_version()}, {ours}; engine {engine}"
    for peer, folder in _FOLDERS.items():
        if peer not in skipped:
            yield f"- {peer}: {', '.join(f'{name} {pinned}' for name, pinned in pins(PEERS / folder))}"
    if "hydra" not in skipped:
        yield f"- hydra: {HYDRA}{_of('go', 'version')}"
    if "keycloak" not in skipped:
        yield f"- keycloak: {KEYCLOAK}{_of('java', '-version')}"
    yield f"- node{_of('node', '--version')}"


def pins(folder: Path) -> list[tuple[str, str]]:
    """What a peer's own requirements or package file pin, name and version."""
    requirements, package = folder / "requirements.txt", folder / "package.json"
    if requirements.exists():
        return _PIN.findall(requirements.read_text())
    return list(json.loads(package.read_text())["dependencies"].items())


def _of(command: str, *options: str) -> str:
    """The first line that a program says of its version, after a blank; empty where the program is not there."""
    try:
        done = subprocess.run([command, *options], capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        return ""
    said = (done.stdout or done.stderr).strip().splitlines()
    return f", {said[0]}" if said else ""
