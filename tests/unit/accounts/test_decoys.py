from __future__ import annotations

import asyncio

from service.accounts.decoys import Decoys
from service.store.table import Table
from tests.support.clock import EPOCH_MS, ManualClock
from tests.support.store import CountedEntropy, ScriptedDynamo


async def test_decoys_are_writes_under_fresh_keys_that_are_soon_collected():
    dynamo = ScriptedDynamo(None, None, None)
    decoys = Decoys(dynamo=dynamo, clock=ManualClock(), entropy=CountedEntropy())
    await asyncio.gather(*decoys.writes(3))
    assert [(one.table, one.condition) for one in dynamo.operations] == [(Table.ONETIME, "")] * 3
    assert len({one.item["k"] for one in dynamo.operations}) == 3
    for one in dynamo.operations:
        assert one.item["k"].startswith("decoy#")
        assert one.item["ttl"] == EPOCH_MS // 1000 + 3600
        assert 250 < len(one.item["bx"]) < 1000, "about a mail, and no more than one unit"
