"""An engine for as long as an ``async with`` lasts: a free port, ready when entered, state saved when left."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from service.engines.child import Child, spawn
from service.engines.errors import DataFolderBusy, EngineFailed
from service.engines.folder import DataFolder, try_lock
from service.engines.probe import answers, free_port
from service.kernel.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from service.engines.port import Engine
    from service.kernel.clock import Clock

_POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait, each in seconds.

    ``start_seconds`` for the first answer and ``stop_seconds`` for saving; ``busy_seconds`` for an engine of the
    last run to finish saving, ``owner_seconds`` for a killed owner, whose locks outlive it by some milliseconds.
    """

    start_seconds: float = 30
    stop_seconds: float = 15
    busy_seconds: float = 20
    owner_seconds: float = 1


class EngineProcess:
    """One running engine, with its state in ``data_dir`` or, without one, in memory.

    >>> async with EngineProcess(choose("auto", data_dir=data_dir), data_dir=data_dir) as engine:
    ...     client = session.client("dynamodb", endpoint_url=engine.endpoint_url)

    Neither a loop nor a thread is held between the calls: enter and leave may run in different event loops.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        data_dir: Path | None = None,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.engine = engine
        self.endpoint_url = ""
        self._folder = None if data_dir is None else DataFolder(root=data_dir.absolute())
        self._clock = clock or SystemClock()
        self._patience = patience or Patience()
        self._scratch: Path | None = None
        self._owner_fd: int | None = None
        self._state_fd: int | None = None
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def exit_code(self) -> int | None:
        """The engine's exit status once it has ended by itself, else None; for whoever watches over it."""
        return None if self._child is None else self._child.exit_code()

    def log_tail(self) -> str:
        """The end of the engine's log."""
        return "" if self._child is None else self._child.log_tail()

    async def start(self) -> None:
        """Start the engine and wait until it answers.

        Raises:
            DataFolderBusy: another process uses the data folder.
            EngineFailed: it ended, or did not answer in time.
        """
        try:
            await self._claim()
            self._launch()
            await self._wait_until_it_answers()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ask the engine to stop, wait while it saves, kill it when it takes too long; then leave the folder."""
        if self._child is not None:
            self._child.let_go()
            # The supervisor kills the engine itself when its time is up, so a little more is waited for both.
            await self._until(self._has_ended, self._patience.stop_seconds + 2)
            self._child.kill()
        self._leave()

    async def _claim(self) -> None:
        if self._folder is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="keyturn-engine-"))
            return
        self._folder.prepare(self.engine.name)
        if not await self._until(self._folder_is_ours, self._patience.owner_seconds):
            raise DataFolderBusy(f"{self._folder.root} is in use by another process; stop it or choose another --data")
        if not await self._until(self._state_is_ours, self._patience.busy_seconds):
            raise DataFolderBusy(f"an engine of an earlier run still holds {self._folder.root}; end it and try again")
        self._folder.remember(self.engine.name)

    async def _folder_is_ours(self) -> bool:
        if self._folder is not None and self._owner_fd is None:
            self._owner_fd = try_lock(self._folder.owner_lock)
        return self._owner_fd is not None

    async def _state_is_ours(self) -> bool:
        if self._folder is not None and self._state_fd is None:
            self._state_fd = try_lock(self._folder.state_lock)
        return self._state_fd is not None

    def _launch(self) -> None:
        port = free_port()
        self.endpoint_url = f"http://127.0.0.1:{port}"
        state_dir = None if self._folder is None else self._folder.prepare(self.engine.name)
        folder = state_dir or self._scratch or Path.cwd()
        self._child = spawn(
            self.engine.command(port, state_dir),
            folder=folder,
            log_path=self._folder.log_path if self._folder else folder / "engine.log",
            lock_fd=self._state_fd,
            grace_seconds=self._patience.stop_seconds,
        )
        self._close_state_lock()

    async def _wait_until_it_answers(self) -> None:
        answered = await self._until(self._answers_or_has_ended, self._patience.start_seconds)
        if self.exit_code() is not None:
            raise EngineFailed(f"{self.engine.name} ended with status {self.exit_code()}: {self.log_tail()}")
        if not answered:
            waited = self._patience.start_seconds
            raise EngineFailed(f"{self.engine.name} did not answer within {waited:g} seconds: {self.log_tail()}")

    async def _answers_or_has_ended(self) -> bool:
        return await self._has_ended() or await answers(self.endpoint_url)

    async def _has_ended(self) -> bool:
        return self.exit_code() is not None

    async def _until(self, condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
        deadline = self._clock.monotonic_seconds() + seconds
        while not await condition():
            if self._clock.monotonic_seconds() >= deadline:
                return False
            await self._clock.sleep(_POLL_SECONDS)
        return True

    def _leave(self) -> None:
        self._child = None
        self._close_state_lock()
        if self._owner_fd is not None:
            os.close(self._owner_fd)
            self._owner_fd = None
        if self._scratch is not None:
            # A killed supervisor's engine may still be writing here; what it leaves is the temporary folder's.
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def _close_state_lock(self) -> None:
        if self._state_fd is not None:
            os.close(self._state_fd)
            self._state_fd = None
