"""How often somebody may try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware import Middleware

from service.kernel.secret import Secret
from service.settings_rules import decode_key
from service.throttle.coarse import CoarseLimits, CoarseRules
from service.throttle.gate import Gate
from service.throttle.lanes import LaneKeys
from service.throttle.limiter import Limiter
from service.throttle.local_cap import LocalCap
from service.throttle.memory import Memory
from service.throttle.quotas import NoQuotas, StoredQuotas
from service.throttle.repo import TallyRepo
from service.throttle.unlimited import Unlimited

if TYPE_CHECKING:
    from service.base import Base
    from service.kernel.clock import Clock
    from service.settings import Settings
    from service.telemetry.metrics import Metrics
    from service.throttle.limiter import Throttle
    from service.throttle.quotas import Quotas


def build_throttle(base: Base) -> Throttle:
    """The limiter, or its twin where ``KEYTURN_THROTTLE`` is off."""
    if base.settings.throttle == "off":
        return Unlimited()
    repo = TallyRepo(dynamo=base.dynamo, entropy=base.entropy)
    return Limiter(gate=Gate(repo=repo, memory=Memory(), cap=LocalCap(), clock=base.clock))


def build_quotas(base: Base, keys: LaneKeys) -> Quotas:
    """The quotas of mail, or their twin."""
    if base.settings.throttle == "off":
        return NoQuotas()
    return StoredQuotas(dynamo=base.dynamo, keys=keys, clock=base.clock)


def coarse_limits(settings: Settings, clock: Clock, metrics: Metrics) -> list[Middleware]:
    """What stands in front of the routes; nothing where ``KEYTURN_THROTTLE`` is off."""
    if settings.throttle == "off":
        return []
    rules = CoarseRules(
        trusted_proxies=settings.trusted_proxies,
        keys=LaneKeys(decode_key(settings.identity_key.get_secret_value()) or b""),
        name=settings.table_prefix,
        storage_url=Secret(settings.coarse_limits_url.get_secret_value()),
    )
    return [Middleware(CoarseLimits, rules=rules, clock=clock, refused=metrics.coarse_refused)]
