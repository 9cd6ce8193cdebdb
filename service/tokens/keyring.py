"""The key ring: reads the keys, makes the next one when it is due, and hands out the one that signs.

There is no leader and no lock: every process that sees a key due puts it into the same slot, and the first write wins.
A process knows the keys for ``REFRESH_SECONDS`` before it reads them again beside a request, and refuses to sign with
what it read longer than ``STALE_SECONDS`` ago: that bounds how long a key marked bad can still be used.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.errors import Unavailable
from service.tokens import material
from service.tokens.model import Algorithm, KeyLife, KeyRecord, NextKey, next_key_due
from service.tokens.snapshot import JwkSet, Signer, Snapshot, take_snapshot, wrap_context
from service.tokens.wrap import UnwrapError

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.tokens.repo import KeyRepo
    from service.tokens.wrap import KeyWrapper

REFRESH_SECONDS = 30
STALE_SECONDS = 120
_VERIFY_STALE_SECONDS = 3600


@dataclass(kw_only=True)
class KeyRing:
    """The signing keys of this process; all that it keeps can be read again at any moment."""

    repo: KeyRepo
    wrapper: KeyWrapper
    clock: Clock
    algorithm: Algorithm
    life: KeyLife
    _snapshot: Snapshot | None = field(default=None, init=False)
    _reading: asyncio.Task[Snapshot] | None = field(default=None, init=False)

    async def signer(self) -> Signer:
        """The key that signs now. Raises Unavailable when the keys cannot be read or opened."""
        snapshot = await self._known(stale_seconds=STALE_SECONDS)
        signer = snapshot.signer(now_ms=self.clock.now_ms())
        if signer is None:
            signer = (await self.refresh()).signer(now_ms=self.clock.now_ms())
        if signer is None:
            raise Unavailable("no signing key")
        return signer

    async def jwks(self) -> JwkSet:
        """The set that verifiers need. It outlives a store that is away for an hour: old keys refuse no good token."""
        return (await self._known(stale_seconds=_VERIFY_STALE_SECONDS)).jwks

    async def refresh(self) -> Snapshot:
        """Read the keys again, making what is due; callers that come meanwhile share one reading."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)

    async def rotate(self, *, begins_ms: int) -> KeyRecord | None:
        """Make a new key that signs from ``begins_ms`` on. None when another process took the slot first."""
        records = await self.repo.all()
        slot = max((record.slot for record in records if record.algorithm is self.algorithm), default=0) + 1
        record = await self._make(NextKey(slot=slot, begins_ms=begins_ms))
        made = await self.repo.add(record)
        await self.refresh()
        return record if made else None

    async def aclose(self) -> None:
        """Wait for a reading that is under way, so that none outlives the store's client."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def _known(self, *, stale_seconds: int) -> Snapshot:
        snapshot = self._snapshot
        if snapshot is None:
            return await self.refresh()
        age_ms = self.clock.now_ms() - snapshot.read_ms
        if age_ms > stale_seconds * 1000:
            return await self.refresh()
        if age_ms > REFRESH_SECONDS * 1000 and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read())
            # Nobody waits for this one; its failure shows when the keys are too old to sign with.
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return snapshot

    async def _read(self) -> Snapshot:
        records = await self.repo.all()
        now_ms = self.clock.now_ms()
        due = next_key_due(records, self.algorithm, life=self.life, now_ms=now_ms)
        if due is not None:
            await self.repo.add(await self._make(due))
            records = await self.repo.all()
        try:
            self._snapshot = await take_snapshot(
                records, algorithm=self.algorithm, life=self.life, now_ms=now_ms, wrapper=self.wrapper
            )
        except UnwrapError as error:
            raise Unavailable(f"signing keys cannot be opened: {error}") from error
        return self._snapshot

    async def _make(self, due: NextKey) -> KeyRecord:
        key = await asyncio.to_thread(material.generate, self.algorithm)
        jwk = material.public_jwk(key, self.algorithm)
        context = wrap_context(algorithm=self.algorithm, slot=due.slot, kid=jwk["kid"])
        return KeyRecord(
            algorithm=self.algorithm,
            slot=due.slot,
            kid=jwk["kid"],
            begins_ms=due.begins_ms,
            created_ms=self.clock.now_ms(),
            wrapped=await self.wrapper.wrap(material.to_der(key), context=context),
            public_jwk=jwk,
        )
