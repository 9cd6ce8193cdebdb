from __future__ import annotations

from service.accounts.decoys import Decoys
from service.store.operations import Put
from service.store.table import Table
from tests.support.clock import EPOCH_MS, ManualClock
from tests.support.store import CountedEntropy, ScriptedDynamo

LETTER = Put(table=Table.OUTBOX, item={"pk": "o#1", "sk": "letter"})


async def test_decoys_are_one_transaction_with_the_letter_of_items_that_are_soon_collected():
    dynamo = ScriptedDynamo(None)
    decoys = Decoys(dynamo=dynamo, clock=ManualClock(), entropy=CountedEntropy())
    await decoys.write("e1#ada", 3, LETTER)
    ((*written, letter),) = dynamo.operations
    assert letter == LETTER
    assert [(one.table, one.condition) for one in written] == [(Table.ONETIME, "")] * 3
    assert len({one.item["k"] for one in written}) == 3
    for one in written:
        assert one.item["k"].startswith("decoy#")
        assert one.item["ttl"] == EPOCH_MS // 1000 + 3600
        assert 250 < len(one.item["bx"]) < 1000, "about a mail, and no more than one unit"


async def test_enumeration_requests_for_one_address_meet_at_one_key_as_those_for_a_known_one_do():
    dynamo = ScriptedDynamo(None, None, None)
    decoys = Decoys(dynamo=dynamo, clock=ManualClock(), entropy=CountedEntropy())
    for email_key in ("e1#ada", "e1#ada", "e1#bob"):
        await decoys.write(email_key, 2)
    first, again, others = ({one.item["k"] for one in actions} for actions in dynamo.operations)
    assert len(first & again) == 1
    assert not (first | again) & others
