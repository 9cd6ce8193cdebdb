"""The keys as this process knows them at one moment: never changed, only replaced."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyturn.keys import KeySet
from service.tokens import material
from service.tokens.model import Algorithm, KeyLife, KeyRecord, published, signing_key
from service.tokens.wrap import UnwrapError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.tokens.material import PrivateKey
    from service.tokens.wrap import KeyWrapper


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A private key that is loaded, with the name that tokens carry."""

    kid: str
    algorithm: Algorithm
    key: PrivateKey


@dataclass(frozen=True, kw_only=True)
class JwkSet:
    """The public key set as it is served: bytes made once, and their entity tag."""

    body: bytes
    etag: str
    keys: KeySet


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The records as read at ``read_at_seconds`` (monotonic), and the private keys that may sign until read again.

    ``closed`` names the keys that should be able to sign and do not open with the key-encryption keys of this process.
    """

    records: tuple[KeyRecord, ...]
    algorithm: Algorithm
    life: KeyLife
    read_at_seconds: float
    loaded: Mapping[str, PrivateKey]
    closed: frozenset[str]
    jwks: JwkSet

    def signer(self, *, now_ms: int) -> Signer | None:
        """The newest key that has begun and that this process can open; a pending one begins in time.

        A newer key that does not open here was wrapped by a process with other settings. Whoever verifies knows the
        older one as well, so signing with it is right while it is published.
        """
        usable = [record for record in self.records if record.kid in self.loaded]
        record = signing_key(usable, self.algorithm, now_ms=now_ms)
        if record is None:
            return None
        return Signer(kid=record.kid, algorithm=record.algorithm, key=self.loaded[record.kid])


def wrap_context(*, algorithm: Algorithm, slot: int, kid: str) -> bytes:
    """What binds a wrapped key to its record, so that a swapped one does not open."""
    return f"sig#{algorithm.value}#{slot}#{kid}".encode()


async def take_snapshot(
    records: tuple[KeyRecord, ...],
    *,
    algorithm: Algorithm,
    life: KeyLife,
    now_ms: int,
    read_at_seconds: float,
    wrapper: KeyWrapper,
) -> Snapshot:
    """Load what may sign, and make the served set. A key that does not open stops nobody from verifying."""
    shown = published(records, life=life, algorithm=algorithm, now_ms=now_ms)
    loaded: dict[str, PrivateKey] = {}
    closed: set[str] = set()
    for record in shown:
        if record.algorithm is algorithm:
            context = wrap_context(algorithm=record.algorithm, slot=record.slot, kid=record.kid)
            try:
                loaded[record.kid] = material.from_der(await wrapper.unwrap(record.wrapped, context=context))
            except UnwrapError:
                closed.add(record.kid)
    return Snapshot(
        records=records,
        algorithm=algorithm,
        life=life,
        read_at_seconds=read_at_seconds,
        loaded=loaded,
        closed=frozenset(closed),
        jwks=_jwk_set(shown),
    )


def _jwk_set(records: tuple[KeyRecord, ...]) -> JwkSet:
    jwks: dict[str, object] = {"keys": [dict(record.public_jwk) for record in records]}
    body = json.dumps(jwks, separators=(",", ":")).encode()
    return JwkSet(body=body, etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"', keys=KeySet.from_jwks(jwks))
