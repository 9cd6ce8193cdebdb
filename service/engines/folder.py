"""What the engine keeps under ``DIR``, and who may use it at a time.

``DIR/engine.log``               what the engine printed since it was last started
``DIR/engine/<name>/``           the state of one engine: no other can read it
``DIR/engine/last``              the name of the engine that was used last
``DIR/engine/owner.lock``        held by the process that uses the folder; gone the moment it dies
``DIR/engine/state.lock``        held by the supervisor and the engine; gone when the state is saved
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from service.engines.port import EngineName

if TYPE_CHECKING:
    from pathlib import Path

_OWNER_ONLY = 0o700


@dataclass(frozen=True, kw_only=True)
class DataFolder:
    """The paths under ``root``, the folder given as ``--data``."""

    root: Path

    @property
    def log_path(self) -> Path:
        """The engine's log."""
        return self.root / "engine.log"

    @property
    def owner_lock(self) -> Path:
        """The lock of the process that uses the folder."""
        return self.root / "engine" / "owner.lock"

    @property
    def state_lock(self) -> Path:
        """The lock of whoever may still write state."""
        return self.root / "engine" / "state.lock"

    @property
    def _last(self) -> Path:
        return self.root / "engine" / "last"

    def state_dir(self, name: EngineName) -> Path:
        """Where the engine ``name`` keeps its state."""
        return self.root / "engine" / name

    def prepare(self, name: EngineName) -> Path:
        """Make the folders, readable by their owner alone, and answer the state folder of ``name``."""
        state_dir = self.state_dir(name).absolute()
        self.root.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        for folder in (self.root / "engine", state_dir):
            folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
        return state_dir

    def remembered(self) -> EngineName | None:
        """The engine that was used last, or None when there was none."""
        try:
            name = self._last.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        return cast("EngineName", name) if name in get_args(EngineName) else None

    def remember(self, name: EngineName) -> None:
        """Write down that ``name`` is used; the old or the new name is there at every moment."""
        fresh = self._last.with_suffix(".new")
        fresh.write_text(f"{name}\n", encoding="ascii")
        fresh.replace(self._last)


def try_lock(path: Path) -> int | None:
    """Lock ``path`` for this process and those that inherit the descriptor; None when somebody else holds it.

    The kernel lets go when the last copy of the descriptor is closed, so a killed process leaves no stale lock.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
