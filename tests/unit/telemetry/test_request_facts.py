from __future__ import annotations

import asyncio

import pytest

from service.telemetry.request_facts import NO_REQUEST, RequestFacts, current_facts, facts_from


def facts(name):
    return lambda: RequestFacts(request_id=name)


def test_outside_of_a_request_nothing_is_known():
    assert current_facts() is NO_REQUEST
    assert RequestFacts(request_id=None, address=None, user_agent=None) == NO_REQUEST


def test_facts_end_with_their_request_whatever_happens_in_it():
    def fail():
        with facts_from(facts("inner")):
            assert current_facts().request_id == "inner"
            raise ZeroDivisionError

    with facts_from(facts("outer")):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert current_facts().request_id == "outer"
    assert current_facts() is NO_REQUEST


def test_facts_are_not_read_before_somebody_asks():
    def read():
        raise AssertionError

    with facts_from(read):
        pass


async def test_requests_at_one_time_do_not_see_each_others_facts():
    async def request(name):
        with facts_from(facts(name)):
            await asyncio.sleep(0)
            return await asyncio.gather(asyncio.to_thread(current_facts), asyncio.sleep(0, current_facts()))

    for name, seen in zip("abc", await asyncio.gather(*map(request, "abc")), strict=True):
        assert [one.request_id for one in seen] == [name, name]
