"""The keys as this process knows them at one moment: never changed, only replaced."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyturn.keys import KeySet
from service.tokens import material
from service.tokens.model import Algorithm, KeyLife, KeyRecord, published, signing_key

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
    """The records as read at ``read_ms``, and the private keys that may have to sign until the next reading."""

    records: tuple[KeyRecord, ...]
    algorithm: Algorithm
    life: KeyLife
    read_ms: int
    loaded: Mapping[str, PrivateKey]
    jwks: JwkSet

    def signer(self, *, now_ms: int) -> Signer | None:
        """The key that signs at ``now_ms``: one that was pending when it was read begins in time."""
        record = signing_key(self.records, self.algorithm, now_ms=now_ms)
        if record is None or record.kid not in self.loaded:
            return None
        return Signer(kid=record.kid, algorithm=record.algorithm, key=self.loaded[record.kid])


def wrap_context(*, algorithm: Algorithm, slot: int, kid: str) -> bytes:
    """What binds a wrapped key to its record, so that a swapped one does not open."""
    return f"sig#{algorithm.value}#{slot}#{kid}".encode()


async def take_snapshot(
    records: tuple[KeyRecord, ...], *, algorithm: Algorithm, life: KeyLife, now_ms: int, wrapper: KeyWrapper
) -> Snapshot:
    """Load what may sign, and make the served set. Raises UnwrapError."""
    current = signing_key(records, algorithm, now_ms=now_ms)
    loaded = {}
    for record in records:
        is_next = record.algorithm is algorithm and not record.bad and record.begins_ms > now_ms
        if record is current or is_next:
            context = wrap_context(algorithm=record.algorithm, slot=record.slot, kid=record.kid)
            loaded[record.kid] = material.from_der(await wrapper.unwrap(record.wrapped, context=context))
    return Snapshot(
        records=records,
        algorithm=algorithm,
        life=life,
        read_ms=now_ms,
        loaded=loaded,
        jwks=_jwk_set(published(records, life=life, now_ms=now_ms)),
    )


def _jwk_set(records: tuple[KeyRecord, ...]) -> JwkSet:
    jwks: dict[str, object] = {"keys": [dict(record.public_jwk) for record in records]}
    body = json.dumps(jwks, separators=(",", ":")).encode()
    return JwkSet(body=body, etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"', keys=KeySet.from_jwks(jwks))
