from __future__ import annotations

import pytest

from service.errors import Unavailable
from service.kernel.secret import Secret
from service.passwords.breach import NullBreachList
from service.passwords.breach_range import BASE_URL, RangeBreachList
from service.passwords.checker_open import PasswordRules, open_checker
from service.passwords.offline import OfflineBreachList
from service.passwords.policy import PasswordContext

GOOD = Secret("seven bright red ducks")


def opened(clock, **fields):
    return open_checker(PasswordRules(product="Acme", **fields), clock=clock, count=lambda _outcome: None)


async def test_as_it_comes_both_lists_and_a_score_of_three_are_asked_for(clock):
    async with opened(clock) as checker:
        assert isinstance(checker.common, OfflineBreachList)
        assert isinstance(checker.breached, RangeBreachList)
        assert checker.breached.base_url == BASE_URL == "https://api.pwnedpasswords.com"
        assert (checker.min_length, checker.min_score, checker.refuses_when_away) == (15, 3, False)
        client = checker.breached.client
        assert not client.follow_redirects
    assert client.is_closed
    with pytest.raises(Unavailable):
        await checker.check(GOOD, PasswordContext())


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
