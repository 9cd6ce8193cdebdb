"""What the peers need, in environments of their own under ``.bench/``. A peer that cannot be had says why."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "benchmarks" / "peers"
HOME = ROOT / ".bench"
KEYCLOAK = "26.4.0"
HYDRA = "2.3.0"
_SECONDS = 900


class NotHere(Exception):
    """This machine cannot get the peer; the text says why."""


def python_of(peer: str) -> str:
    """The interpreter of a peer's own environment. Raises NotHere."""
    folder, wanted = HOME / peer, PEERS / peer / "requirements.txt"
    stamp = folder / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted.read_text():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)], cwd=ROOT)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "-r", str(wanted)], cwd=ROOT)
        stamp.write_text(wanted.read_text())
    return str(folder / "bin/python")


def node_folder(peer: str) -> Path:
    """A folder with the peer's server and its packages. Raises NotHere."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotHere("node and npm are not installed")
    folder, source = HOME / peer, PEERS / peer
    folder.mkdir(parents=True, exist_ok=True)
    stamp, lock = folder / "installed.txt", (source / "package-lock.json").read_text()
    for path in source.iterdir():
        shutil.copy(path, folder)
    if not stamp.exists() or stamp.read_text() != lock:
        _run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)
        stamp.write_text(lock)
    return folder


def keycloak_folder() -> Path:
    """An unpacked distribution. Raises NotHere."""
    folder = HOME / f"keycloak-{KEYCLOAK}"
    if not folder.exists():
        if shutil.which("mvn") is None or shutil.which("java") is None:
            raise NotHere("java and maven are not installed")
        artifact = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"
        get = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={HOME}"]
        HOME.mkdir(exist_ok=True)
        _run(get, cwd=HOME)
        with zipfile.ZipFile(HOME / f"keycloak-quarkus-dist-{KEYCLOAK}.zip") as archive:
            archive.extractall(HOME)
        (folder / "bin/kc.sh").chmod(0o755)
    return folder


def hydra_program() -> Path:
    """Hydra, built from its module. Raises NotHere.

    The module says to take a library from a folder that is not part of it; the same library is published, and taken.
    """
    folder = HOME / f"hydra-{HYDRA}"
    program = folder / "hydra"
    if not program.exists():
        if shutil.which("go") is None:
            raise NotHere("go is not installed")
        HOME.mkdir(exist_ok=True)
        found = _run(["go", "mod", "download", "-json", f"github.com/ory/hydra/v2@v{HYDRA}"], cwd=HOME)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(json.loads(found)["Dir"], folder)
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
        _run(["go", "mod", "edit", "-dropreplace", "github.com/ory/hydra-client-go/v2"], cwd=folder)
        _run(["go", "build", "-mod=mod", "-tags", "sqlite,json1", "-o", "hydra", "."], cwd=folder)
    return program


def _run(command: list[str], *, cwd: Path) -> str:
    """What it says. Raises NotHere when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        raise NotHere(
            f"{Path(command[0]).name} {' '.join(command[1:4])}: {(done.stderr or done.stdout)[-300:].strip()}"
        )
    return done.stdout
