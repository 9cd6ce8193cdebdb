from __future__ import annotations

import asyncio

import pytest

from service.errors import Unavailable
from service.kernel.secret import Secret
from service.passwords.breach import Breach, NullBreachList
from service.passwords.breach_range import RangeBreachList
from service.passwords.checker_open import PasswordRules, open_checker
from service.passwords.offline import OfflineBreachList
from service.passwords.policy import PasswordContext

GOOD = Secret("seven bright red ducks")


def opened(clock, **fields):
    return open_checker(PasswordRules(product="Acme", **fields), clock=clock, count=lambda _outcome: None)


async def test_as_it_comes_both_lists_and_a_score_of_three_are_asked_for(clock):
    async with opened(clock) as checker:
        assert isinstance(checker.common, OfflineBreachList)
        assert checker.breached._opening.args == ("https://api.pwnedpasswords.com",)
        assert checker.breached.opened is None
        assert (checker.min_length, checker.min_score, checker.refuses_when_away) == (15, 3, False)
    with pytest.raises(Unavailable):
        await checker.check(GOOD, PasswordContext())


async def test_the_range_service_is_opened_once_by_who_asks_first_and_closed_with_the_checker(clock):
    async with opened(clock, breach_url="http://127.0.0.1:9") as checker:
        assert set(await asyncio.gather(*(checker.breached.contains(GOOD) for _ in range(3)))) == {Breach.UNKNOWN}
        breached = checker.breached.opened
        assert isinstance(breached, RangeBreachList)
        assert not breached.client.follow_redirects
        await checker.breached.contains(GOOD)
        assert checker.breached.opened is breached
    assert breached.client.is_closed
    assert await checker.breached.contains(GOOD) is Breach.UNKNOWN
    async with opened(clock) as checker:
        pass
    assert await checker.breached.contains(GOOD) is Breach.UNKNOWN
    assert checker.breached.opened is None


async def test_offline_asks_the_embedded_list_alone(clock):
    async with opened(clock, breach_list="offline", breach_away="refuse") as checker:
        assert isinstance(checker.breached, NullBreachList)
        assert await checker.check(GOOD, PasswordContext()) == ()
        (finding,) = await checker.check(Secret("iloveyouiloveyou"), PasswordContext())
        assert finding.code == "password_breached"


async def test_off_asks_no_list(clock):
    async with opened(clock, breach_list="off", min_score=0) as checker:
        assert isinstance(checker.common, NullBreachList)
        assert await checker.check(Secret("iloveyouiloveyou"), PasswordContext()) == ()


async def test_refuse_closes_the_door_while_the_service_is_away(clock):
    async with opened(clock, breach_url="http://127.0.0.1:9", breach_away="refuse") as checker:
        with pytest.raises(Unavailable):
            await checker.check(GOOD, PasswordContext())
