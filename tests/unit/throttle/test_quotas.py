from __future__ import annotations

import pytest

from service.store.errors import Conflict
from service.throttle.lanes import LaneKeys
from service.throttle.limits import MAIL_TO_ADDRESS
from service.throttle.quotas import StoredQuotas
from tests.support.clock import ManualClock
from tests.support.store import ScriptedDynamo, refused


def quotas(*answers):
    dynamo = ScriptedDynamo(*answers)
    return StoredQuotas(dynamo=dynamo, keys=LaneKeys(bytes(32)), clock=ManualClock()), dynamo


async def test_a_state_that_others_change_at_every_try_lets_nothing_through():
    stored, _dynamo = quotas(*[refused(None) for _ in range(6)])
    with pytest.raises(Conflict):
        await stored.take(MAIL_TO_ADDRESS, "e1#ada")


async def test_an_item_deleted_between_two_tries_is_made_again():
    now = ManualClock().now_ms()
    stored, dynamo = quotas(refused({"fu": now + 1}), refused(None), {"fu": now + MAIL_TO_ADDRESS.interval_ms})
    await stored.take(MAIL_TO_ADDRESS, "e1#ada")
    assert "attribute_not_exists(k)" in dynamo.operations[2].condition
