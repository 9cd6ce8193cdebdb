from __future__ import annotations

import pytest

from service.throttle.lanes import LaneKeys
from service.throttle.unlimited import Unlimited

LANES = LaneKeys(bytes(32)).sign_in(identity_key="e1#ada", prefix="192.0.2.1/32", device=None)


@pytest.mark.parametrize("outcome", ["failed", "succeeded"])
async def test_everything_passes_and_nothing_is_read(outcome):
    throttle = Unlimited()
    look = throttle.look(LANES)
    assert look.reads == ()
    for _ in range(100):
        async with await throttle.admit(look, None) as attempt:
            await attempt.at_slot()
            await getattr(attempt, outcome)()
        async with await throttle.before(LANES):
            pass


@pytest.mark.parametrize("outcome", ["failed", "succeeded"])
async def test_a_forgotten_slot_is_found_here_too(outcome):
    attempt = await Unlimited().before(LANES)
    with pytest.raises(RuntimeError, match="at_slot"):
        await getattr(attempt, outcome)()
