from __future__ import annotations

from service.kernel.secret import Secret
from service.passwords.breach import Breach, NullBreachList


async def test_where_no_list_was_asked_for_nothing_is_listed():
    assert await NullBreachList().contains(Secret("password")) is Breach.CLEAN
