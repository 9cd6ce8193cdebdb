"""Every call of every journey meets every fault: nobody is locked out, nothing comes back, no door opens.

Each journey knows what must be true after it (``tests/support/journeys``), and what must be true of every answer stands
in ``tests/support/strike.py``. Quick machines try each class of faults at each call; ``KEYTURN_LONG=1`` tries them all.
"""

from __future__ import annotations

import re

import pytest

from tests.support.cases import Cases
from tests.support.journeys.book import STRUCK
from tests.support.journeys.stage import NEW_PASSWORD
from tests.support.live import LONG
from tests.support.people import PASSWORD
from tests.support.strike import calls_of, covering_blows, every_blow, strike

pytestmark = pytest.mark.timeout(7200 if LONG else 300)
SECRETS = re.compile(rf"{PASSWORD}|{NEW_PASSWORD}|ktr_|eyJ|\$argon2")


@pytest.mark.parametrize("journey", STRUCK, ids=str)
async def test_a_store_that_fails_at_any_call_leaves_no_half_state(open_world, capsys, caplog, journey):
    cases, met = Cases(), set()
    async with open_world(journey.environ) as world:
        calls = await calls_of(world, journey)
        for blow in every_blow(calls) if LONG else covering_blows(journey, calls):
            with cases.case(str(blow)):
                if await strike(world, journey, blow):
                    met.add(blow.at)
    cases.verdict()
    assert met == set(range(len(calls))), "a call met no fault"
    said = capsys.readouterr().out + caplog.text
    assert "unhandled_error" not in said
    assert not SECRETS.findall(said)
