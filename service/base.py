"""What everything stands on: settings, store, clock, chance, keys and hashing; for the service and the command."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from service.audit.repo import EventRepo
from service.audit.table import TableAudit
from service.kernel.clock import Clock, SystemClock
from service.kernel.entropy import Entropy, SystemEntropy
from service.passwords.checker_open import PasswordRules
from service.passwords.hasher import PasswordHasher
from service.passwords.model import Argon2Cost
from service.passwords.pool import HashingPool, usable_cores
from service.revocations.log import RevocationLog
from service.revocations.model import FeedLife
from service.revocations.repo import RevocationRepo
from service.sessions.model import SessionLife
from service.settings_rules import decode_key, parse_keys
from service.store.client import open_client, open_lean_client
from service.store.dynamo import Dynamo
from service.store.table import TableNames
from service.telemetry.dynamo_spans import traced_client
from service.telemetry.hashing import MeasuredPool
from service.telemetry.tracing import OFF, Tracing
from service.tokens.keyring import STALE_SECONDS, KeyRing
from service.tokens.metadata import MAX_AGE_SECONDS
from service.tokens.model import Algorithm, KeyLife
from service.tokens.repo import KeyRepo
from service.tokens.wrap import LocalWrapper

_log = structlog.get_logger("keyturn.passwords")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.settings import Settings
    from service.telemetry.metrics import Metrics


@dataclass(frozen=True, kw_only=True)
class Base:
    """What everything stands on."""

    settings: Settings
    dynamo: Dynamo
    clock: Clock
    entropy: Entropy
    metrics: Metrics
    tracing: Tracing

    @property
    def identity_master(self) -> bytes:
        """The key of identity markers and of one-time tokens, neither of which may change with a rotation."""
        return decode_key(self.settings.identity_key.get_secret_value()) or b""


@asynccontextmanager
async def open_base(
    settings: Settings,
    metrics: Metrics,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    tracing: Tracing = OFF,
) -> AsyncIterator[Base]:
    """The store's client and the ports, for as long as they are needed."""
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    opening = (
        open_lean_client(clock=clock, entropy=entropy)
        if settings.store_client == "lean"
        else open_client(validate_parameters=settings.is_dev)
    )
    async with opening as client:
        dynamo = Dynamo(
            client=traced_client(client, tracing),
            names=TableNames(settings.table_prefix),
            clock=clock,
            entropy=entropy,
            meter=metrics,
            deadline_seconds=settings.store_deadline_seconds,
        )
        yield Base(settings=settings, dynamo=dynamo, clock=clock, entropy=entropy, metrics=metrics, tracing=tracing)


def build_keyring(base: Base) -> KeyRing:
    """The signing keys."""
    settings = base.settings
    wrapping = parse_keys(settings.key_encryption_keys.get_secret_value())
    overlap_seconds = settings.access_ttl_seconds + settings.clock_skew_seconds + STALE_SECONDS + MAX_AGE_SECONDS
    return KeyRing(
        repo=KeyRepo(dynamo=base.dynamo),
        wrapper=LocalWrapper(keys=wrapping, active_kid=next(iter(wrapping)), entropy=base.entropy),
        clock=base.clock,
        algorithm=Algorithm(settings.signing_algorithm),
        life=KeyLife(
            rotation_ms=settings.key_rotation_seconds * 1000,
            publish_ahead_ms=settings.key_publish_ahead_seconds * 1000,
            overlap_ms=overlap_seconds * 1000,
        ),
    )


def build_audit_table(base: Base) -> TableAudit:
    """Where security events are kept."""
    return TableAudit(
        repo=EventRepo(dynamo=base.dynamo),
        clock=base.clock,
        entropy=base.entropy,
        meter=base.metrics,
        retention_seconds=base.settings.audit_retention_days * 86_400,
    )


def build_revocation_log(base: Base, *, always: bool = False) -> RevocationLog:
    """Where revocations are written down for the feed. ``always``: though this process has no feed keys.

    A command of an operator may lack the setting that the serving processes have, and is too rare to save on.
    """
    settings = base.settings
    life = FeedLife(
        access_seconds=settings.access_ttl_seconds,
        skew_seconds=settings.clock_skew_seconds,
        flight_seconds=settings.store_deadline_seconds,
    )
    repo = RevocationRepo(dynamo=base.dynamo)
    return RevocationLog(repo=repo, life=life, clock=base.clock, is_on=always or settings.publishes_revocations)


def build_hasher(base: Base) -> PasswordHasher:
    """Password hashing, bounded in threads and memory."""
    settings = base.settings
    cost = Argon2Cost(
        memory_kib=settings.argon2_memory_kib, time=settings.argon2_time_cost, lanes=settings.argon2_parallelism
    )
    pool = MeasuredPool(
        pool=HashingPool(
            slots=settings.hash_slots or usable_cores(), queue=settings.hash_queue, nice=settings.hash_nice
        ),
        clock=base.clock,
        meter=base.metrics,
        tracing=base.tracing,
    )
    hasher = PasswordHasher(pool=pool, entropy=base.entropy, cost=cost, engine=settings.argon2_engine)
    limit_bytes = hasher.memory_limit_bytes
    base.metrics.hash_memory(limit_bytes)
    _log.info("hashing.bounded", slots=pool.slots, queue=settings.hash_queue, memory_limit_bytes=limit_bytes)
    return hasher


def password_rules(settings: Settings) -> PasswordRules:
    """What the settings say of new passwords."""
    return PasswordRules(
        product=settings.service_name,
        min_length=settings.password_min_length,
        min_score=settings.password_min_score,
        breach_list=settings.breach_list,
        breach_url=settings.breach_url,
        breach_away=settings.breach_away,
    )


def session_life(settings: Settings) -> SessionLife:
    """The times of data.md's rotation."""
    return SessionLife(
        grace_seconds=settings.refresh_grace_seconds,
        skew_seconds=settings.clock_skew_seconds,
        deadline_seconds=settings.store_deadline_seconds,
        idle_seconds=settings.refresh_idle_seconds,
        absolute_seconds=settings.refresh_absolute_seconds,
    )
