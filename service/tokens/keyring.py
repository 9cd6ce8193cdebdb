"""The key ring: reads the keys, makes the next one when it is due, and hands out the one that signs.

There is no leader and no lock: every process that sees a key due puts it into the same slot, and the first write wins.
A process knows the keys for ``REFRESH_SECONDS`` before it reads them again beside a request. Keys read longer than
``STALE_SECONDS`` ago do not sign, and verify only while they cannot be read again: that bounds how long a key marked
bad is of use. All ages are monotonic: setting the clock back does not keep old keys alive.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.errors import Unavailable
from service.tokens import material
from service.tokens.model import MAX_PUBLISHED, Algorithm, KeyLife, KeyRecord, NextKey, next_key_due, signing_key
from service.tokens.snapshot import JwkSet, Signer, Snapshot, take_snapshot, wrap_context

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.tokens.repo import KeyRepo
    from service.tokens.wrap import KeyWrapper

REFRESH_SECONDS = 30
STALE_SECONDS = 120
_VERIFY_STALE_SECONDS = 3600
_VERIFY_WAIT_SECONDS = 1.0
_UNKNOWN_SECONDS = 5
"""How often at most a token with an unknown key makes this process read the keys again."""

_log = logging.getLogger(__name__)


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
        snapshot = self._beside_a_request()
        if snapshot is None or self._age_seconds(snapshot) > STALE_SECONDS:
            snapshot = await self.refresh()
        signer = snapshot.signer(now_ms=self.clock.now_ms())
        if signer is None:
            signer = (await self.refresh()).signer(now_ms=self.clock.now_ms())
        if signer is None:
            raise Unavailable("no signing key that opens here")
        return signer

    async def jwks(self) -> JwkSet:
        """The set that verifiers need. With the store away it lives for an hour: known keys refuse no good token."""
        snapshot = self._beside_a_request()
        if snapshot is None or self._age_seconds(snapshot) > _VERIFY_STALE_SECONDS:
            return (await self.refresh()).jwks
        if self._age_seconds(snapshot) > STALE_SECONDS:
            # A key may have been marked bad meanwhile: worth a moment's wait, not worth failing for.
            await asyncio.wait([self._reading_again()], timeout=_VERIFY_WAIT_SECONDS)
        return (self._snapshot or snapshot).jwks

    async def jwks_with(self, kid: str) -> JwkSet:
        """The set, read again if it lacks ``kid`` and was not read a moment ago: another process may have made it."""
        current = await self.jwks()
        snapshot = self._snapshot
        if kid in current.keys or snapshot is None or self._age_seconds(snapshot) < _UNKNOWN_SECONDS:
            return current
        await asyncio.wait([self._reading_again()], timeout=_VERIFY_WAIT_SECONDS)
        return (self._snapshot or snapshot).jwks

    async def refresh(self) -> Snapshot:
        """Read the keys again, making what is due; callers that come meanwhile share one reading."""
        return await asyncio.shield(self._reading_again())

    async def rotate(self, *, begins_ms: int) -> KeyRecord | None:
        """Make a new key that signs from ``begins_ms`` on. None when another process took the slot first.

        Raises Unavailable when as many keys are published as verifiers take.
        """
        snapshot = await self.refresh()
        if len(snapshot.jwks.keys) >= MAX_PUBLISHED - 1:
            raise Unavailable("too many keys are published; wait until retired ones are gone", retry_after_seconds=3600)
        slots = (record.slot for record in snapshot.records if record.algorithm is self.algorithm)
        record = await self._make(NextKey(slot=max(slots, default=0) + 1, begins_ms=begins_ms))
        made = await self.repo.add(record)
        await self.refresh()
        return record if made else None

    async def aclose(self) -> None:
        """Wait for a reading that is under way, so that none outlives the store's client."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    def _beside_a_request(self) -> Snapshot | None:
        """What is known; when it is due to be read again, that goes on beside the request."""
        snapshot = self._snapshot
        if snapshot is not None and self._age_seconds(snapshot) > REFRESH_SECONDS:
            self._reading_again()
        return snapshot

    def _age_seconds(self, snapshot: Snapshot) -> float:
        return self.clock.monotonic_seconds() - snapshot.read_at_seconds

    def _reading_again(self) -> asyncio.Task[Snapshot]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            # Perhaps nobody waits for it; then its failure shows when the keys are too old to be used.
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._reading

    async def _read(self) -> Snapshot:
        snapshot = await self._read_once()
        due = next_key_due(snapshot.records, self.algorithm, life=self.life, now_ms=self.clock.now_ms())
        if due is not None and not self._is_foreign(snapshot):
            await self.repo.add(await self._make(due))
            snapshot = await self._read_once()
        self._snapshot = snapshot
        return snapshot

    async def _read_once(self) -> Snapshot:
        # Its age counts from before the reading: a key may have been marked bad while it was under way.
        read_at_seconds = self.clock.monotonic_seconds()
        return await take_snapshot(
            await self.repo.all(),
            algorithm=self.algorithm,
            life=self.life,
            now_ms=self.clock.now_ms(),
            read_at_seconds=read_at_seconds,
            wrapper=self.wrapper,
        )

    def _is_foreign(self, snapshot: Snapshot) -> bool:
        """Whether the key that should sign does not open here: then this process must not make keys for the others."""
        current = signing_key(snapshot.records, self.algorithm, now_ms=self.clock.now_ms())
        if snapshot.closed:
            _log.error("signing keys do not open", extra={"kids": sorted(snapshot.closed)})
        return current is not None and current.kid in snapshot.closed

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
