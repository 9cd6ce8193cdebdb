"""How often somebody may try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.throttle.gate import Gate
from service.throttle.limiter import Limiter
from service.throttle.local_cap import LocalCap
from service.throttle.memory import Memory
from service.throttle.quotas import NoQuotas, StoredQuotas
from service.throttle.repo import TallyRepo
from service.throttle.unlimited import Unlimited

if TYPE_CHECKING:
    from service.base import Base
    from service.throttle.lanes import LaneKeys
    from service.throttle.limiter import Throttle
    from service.throttle.quotas import Quotas


def build_throttle(base: Base) -> Throttle:
    """The limiter, or its twin where ``KEYTURN_THROTTLE`` is off."""
    if base.settings.throttle == "off":
        return Unlimited()
    repo = TallyRepo(dynamo=base.dynamo)
    return Limiter(gate=Gate(repo=repo, memory=Memory(), cap=LocalCap(), clock=base.clock))


def build_quotas(base: Base, keys: LaneKeys) -> Quotas:
    """The quotas of mail, or their twin."""
    if base.settings.throttle == "off":
        return NoQuotas()
    return StoredQuotas(dynamo=base.dynamo, keys=keys, clock=base.clock)
